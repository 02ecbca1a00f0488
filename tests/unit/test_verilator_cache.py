"""Verilator's cached objects work for every design, whichever was compiled first."""

import os
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikeloom import environment
from spikeloom.cores.ssa import SSA
from spikeloom.export.verilog import component_to_verilog
from spikeloom_sim.regression import run_suite
from spikeloom_sim.simulators import SIMULATORS
from spikeloom_sim.simulators.runtime_objects import RuntimeObjects


class Blinker(wiring.Component):
    """A design with a minimum of ports."""

    led: Out(1)
    button: In(1)

    def elaborate(self, platform):
        m = Module()
        count = Signal(4)
        m.d.sync += count.eq(count + self.button)
        m.d.comb += self.led.eq(count[-1])
        return m


def cold_cache(tmp_path, monkeypatch):
    """A cache of our own that is empty; YoWASP's stays, for it takes minutes to fill."""
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(environment.yowasp_cache()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.slow
def test_a_wide_design_after_a_narrow_one(tmp_path, monkeypatch):
    """The main program's object depends on the ports, so it must not be taken from the cache."""
    cold_cache(tmp_path, monkeypatch)
    narrow = component_to_verilog(Blinker(), "blinker")
    (tmp_path / "blinker.v").write_text(narrow.text)
    SIMULATORS["verilator"].build([tmp_path / "blinker.v"], "blinker", narrow.ports, tmp_path)
    (kept,) = (tmp_path / "cache").rglob("*.zip")
    assert "verilated.o" in zipfile.ZipFile(kept).namelist()
    config = SSA(tokens=1, head_dim=1, steps=1, cells=1, bits=1)
    assert run_suite(config, simulator="verilator").failures == 0


@pytest.fixture
def library(tmp_path, monkeypatch):
    """``library(flags, source)``: the `RuntimeObjects` of a folder with a makefile, and the folder;
    in it is what compiling would leave."""
    cold_cache(tmp_path, monkeypatch)

    def make(flags="-O1", source="int x;"):
        home = tmp_path / "home"
        (home / "include").mkdir(parents=True, exist_ok=True)
        (home / "include" / "verilated.cpp").write_text(source)
        folder = tmp_path / f"build{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        recipe = f"verilated.o:\n\t@c++ {flags} -c -o verilated.o verilated.cpp\n"
        (folder / "Vtop.mk").write_text(recipe)
        return RuntimeObjects(folder, home, ["make", "-f", "Vtop.mk"]), folder

    return make


def fill(library):
    objects, folder = library()
    (folder / "verilated.o").write_bytes(b"object")
    objects.keep()
    return next(iter((folder.parent / "cache").rglob("*.zip")))


def test_kept_objects_are_taken(library):
    objects, _ = library()
    assert not objects.take()
    fill(library)
    objects, folder = library()
    assert objects.take()
    assert (folder / "verilated.o").read_bytes() == b"object"


def test_other_flags_sources_and_compilers_have_entries_of_their_own(
    library, tmp_path, monkeypatch
):
    fill(library)
    assert not library(flags="-O1 -D_GLIBCXX_DEBUG")[0].take()
    assert not library(source="int y;")[0].take()
    compiler = tmp_path / "other"
    compiler.write_text("#!/bin/sh\necho another compiler >&2\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    assert not library()[0].take()
    monkeypatch.delenv("CXX")
    assert library()[0].take()


DAMAGE = {
    "empty": lambda entry: entry.write_bytes(b""),
    "cut off": lambda entry: entry.write_bytes(entry.read_bytes()[:-20]),
    "a byte changed": lambda entry: entry.write_bytes(
        entry.read_bytes().replace(b"object", b"objecT")
    ),
    "no objects": lambda entry: zipfile.ZipFile(entry, "w").close(),
    "another file": lambda entry: entry.write_text("hello"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_entry_is_written_anew(damage, library):
    damage(fill(library))
    objects, folder = library()
    assert not objects.take()
    assert not (folder / "verilated.o").exists()
    fill(library)
    assert library()[0].take()


def test_a_cache_that_takes_nothing(library):
    """The entry cannot be written: simulations are built without a cache."""
    entry = fill(library)
    entry.unlink()
    entry.mkdir()
    objects, folder = library()
    assert not objects.take()
    (folder / "verilated.o").write_bytes(b"object")
    objects.keep()
    assert [path.name for path in entry.parent.iterdir()] == [entry.name]


def test_commands_at_once(library):
    built = [library() for _ in range(8)]
    for _, folder in built:
        (folder / "verilated.o").write_bytes(b"object" * 10000)

    def work(objects):
        taken = objects.take()
        objects.keep()
        return taken or objects.take()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, [objects for objects, _ in built]))


def test_no_place_for_a_cache(tmp_path, monkeypatch):
    """Without the user's folder a private one among temporary files; without that, none."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    private = tmp_path / f"spikeloom-cache-{os.getuid()}"
    assert environment.cache_folder() == private
    assert private.stat().st_mode & 0o777 == 0o700
    assert environment.child_environment()["YOWASP_CACHE_DIR"] == str(private / "YoWASP")
    private.chmod(0o777)  # anyone may have put anything there
    assert environment.cache_folder() is None
    private.rmdir()
    private.symlink_to(tmp_path)
    assert environment.cache_folder() is None
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    assert environment.cache_folder() is None
    assert "YOWASP_CACHE_DIR" not in environment.child_environment()
