"""`spikeloom run --wave`: waveforms and save files for GTKWave."""

import re

import numpy as np
import pytest

from spikeloom_sim.simulators import SIMULATORS

# Names of GTKWave, scopes of Verilator and words of memories aside.
PLAIN = re.compile(r"\$var \w+ +\d+ \S+ [A-Za-z]\w*(\[\d+\])?( \[\d+:0\])? \$end")


def _run(spikeloom, tmp_path, wave, simulator):
    if not SIMULATORS[simulator].available():
        pytest.skip(f"{simulator} is not installed")
    rng = np.random.default_rng(0)
    for name in "qkv":
        np.save(tmp_path / f"{name}.npy", rng.integers(0, 2, (2, 4, 8)))
    files = ["--q", "q.npy", "--k", "k.npy", "--v", "v.npy", "-o", "o.npy"]
    options = ["--backend", "rtl", "--sim", simulator, "--wave", wave]
    return spikeloom("run", "ssa", *files, *options)


@pytest.mark.long
def test_vcd_and_its_view(spikeloom, tmp_path, simulator):
    """Plain names alone; the save file names signals of the waveform, with their bits, lies beside
    it wherever both are moved, and shows all of the run."""
    (tmp_path / "waves").mkdir()
    ran = _run(spikeloom, tmp_path, "waves/run.vcd", simulator)
    assert (ran.code, "gtkwave waves/run.gtkw" in ran.out) == (0, True), ran.err
    wave = (tmp_path / "waves" / "run.vcd").read_text()
    variables = re.findall(r"\$var .*", wave)
    assert len(variables) > 100
    assert [line for line in variables if not PLAIN.fullmatch(line.strip())] == []

    view = (tmp_path / "waves" / "run.gtkw").read_text()
    assert '[dumpfile] "/run.vcd"' in view
    assert '[savefile] "/run.gtkw"' in view
    top = wave.split("$scope module spikeloom_ssa $end")[1].split("$scope")[0]
    recorded = {
        name + (bits or "") for name, bits in re.findall(r"\S+ \S+ (\w+)(?: (\[\S+\]))? \$end", top)
    }
    shown = set(re.findall(r"^spikeloom_ssa\.(\S+)$", view, re.MULTILINE))
    assert {"clk", "done", "m_axis_o_tdata[7:0]", "s_axis_v_tdata[7:0]"} <= shown
    assert shown <= recorded

    end = int(re.findall(r"^#(\d+)", wave, re.MULTILINE)[-1])
    zoom = float(re.search(r"^\*(\S+)", view, re.MULTILINE)[1])
    pixels = end / (2**-zoom / 200)
    assert 600 < pixels < 1000


@pytest.mark.parametrize(("suffix", "begins"), [("vcd", b"$"), ("fst", b"\x00")])
def test_suffix_decides_the_format(spikeloom, tmp_path, suffix, begins):
    """Icarus writes the format of the suffix; a user's save file is not overwritten."""
    (tmp_path / "w.gtkw").write_text("[*] GTKWave Analyzer v3.3.118\nmine\n")
    assert _run(spikeloom, tmp_path, f"w.{suffix}", "icarus").code == 0
    assert (tmp_path / f"w.{suffix}").read_bytes()[:1] == begins
    assert "mine" in (tmp_path / "w.gtkw").read_text()
