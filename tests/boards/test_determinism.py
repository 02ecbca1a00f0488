"""Two makers get the same bytes: other folder, home, language, time zone, hash seed and date."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spikeloom.outputs import RECORD

from ..pages import ROOT

BUILT = ("hdl", "sim", "models", "boards", "cli", "README.md", "LICENSE", "pyproject.toml")
MAKERS = {
    "first": {
        **{"LC_ALL": "C", "LANG": "C", "TZ": "UTC", "PYTHONHASHSEED": "1", "USER": "a"},
        **{"COLUMNS": "80", "TERM": "dumb"},
    },
    "the second's folder": {
        **{"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8", "LANGUAGE": "tr", "TZ": "Asia/Tokyo"},
        **{"PYTHONHASHSEED": "77", "USER": "b b", "COLUMNS": "200", "TERM": "xterm-256color"},
        **{"PYTHONUTF8": "1"},
    },
}
CORES = {
    "generate": ["generate", "ssa", "--board", "icebreaker"],
    "network": ["generate", "fashion-spikformer"],
}
# Files of a build that hold the time it took; RECORD holds their hashes.
TIMED = ("times.json", "nextpnr.log", "synthesis.log", RECORD)
SMALL = ["--set", "tokens=2", "--set", "head_dim=2", "--set", "steps=2"]


def copies(tmp_path, variables_of_both):
    """The sources in two folders, each with the environment of its maker; the files of the second
    have another date and mode, and are written in the opposite order."""
    for number, (name, variables) in enumerate(MAKERS.items()):
        folder, home = tmp_path / name / "sources", tmp_path / name / "home"
        folder.mkdir(parents=True)
        home.mkdir()
        for path in sorted(BUILT, reverse=bool(number)):
            copy = shutil.copytree if (ROOT / path).is_dir() else shutil.copyfile
            copy(ROOT / path, folder / path)
        shutil.copyfile(ROOT / ".gitignore", folder / ".gitignore")
        if number:
            for path in filter(Path.is_file, folder.rglob("*")):
                os.utime(path, (1_700_000_000, 1_700_000_000))
                path.chmod(0o664)
        packages = [str(folder / package) for package in BUILT[:5]]
        environment = os.environ | variables_of_both | variables
        environment["HOME"] = str(home)
        # Tools that were compiled once are used by both.
        environment["XDG_CACHE_HOME"] = os.environ.get(
            "XDG_CACHE_HOME", str(Path.home() / ".cache")
        )
        yield folder, environment | {"PYTHONPATH": os.pathsep.join(packages)}


def run(arguments, folder, environment):
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        **{"cwd": folder, "env": environment, "capture_output": True, "text": True},
    )
    assert done.returncode == 0, done.stderr[-2000:]


def digests(folder):
    """SHA-256 of every file, by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check_equal(tmp_path, arguments, **both):
    """What a module's program writes to its folder ``out``; returns the names."""
    found = []
    for folder, environment in copies(tmp_path, both):
        out = folder.parent / "out"
        run([*arguments, str(out)], folder, environment)
        found.append(digests(out))
    first, second = found
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    return set(first)


@pytest.mark.parametrize("epoch", [None, pytest.param("1000000000", marks=pytest.mark.long)])
def test_packages(epoch, tmp_path):
    """Wheel and sdist, with a date in SOURCE_DATE_EPOCH and without."""
    both = {"SOURCE_DATE_EPOCH": epoch} if epoch else {}
    names = check_equal(tmp_path, ["hatchling", "build", "-d"], **both)
    assert {Path(name).suffix for name in names} == {".whl", ".gz"}


@pytest.mark.long
def test_every_component():
    """What is elaborated of every core, and of a network, does not depend on the order of sets."""
    script = (
        "import hashlib; from amaranth.back import rtlil; "
        "from spikeloom.cores import all_cores, find_core; "
        "from spikeloom_sim.mutation import mutant_configs; "
        "configs = [next(iter(mutant_configs(c).values())) for c in all_cores().values()]; "
        "configs.append(find_core('mnist-tiny').from_settings({})); "
        "texts = {c.NAME: rtlil.convert(c.create(), emit_src=False) for c in configs}; "
        "print(*(f'{n} {hashlib.sha256(t.encode()).hexdigest()}' for n, t in texts.items()))"
    )
    found = []
    for seed in ("1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            **{"env": os.environ | {"PYTHONHASHSEED": seed}, "capture_output": True, "text": True},
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found.append(done.stdout.split())
    assert len(found[0]) > 20
    assert found[0] == found[1]


@pytest.mark.long
@pytest.mark.parametrize("case", CORES)
def test_designs(case, tmp_path):
    """Verilog, testbench, constraints and manifest."""
    small = [] if case == "network" else SMALL
    names = check_equal(tmp_path, ["spikeloom_cli.main", *CORES[case], *small, "-o"])
    assert "manifest.json" in names


@pytest.mark.long
@pytest.mark.parametrize("board", ["icestick", "ulx3s-25f"])
def test_build(board, tmp_path):
    """Bitstream, constraints, report and its page; not the tools' logs, nor what steps took."""
    core = ["build", "ssa", "--board", board, "--top", "self-test"]
    found = []
    for folder, environment in copies(tmp_path, {}):
        out = folder.parent / "out"
        run(["spikeloom_cli.main", *core, *SMALL, "-o", str(out)], folder, environment)
        assert all(
            seconds >= 0 for seconds in json.loads((out / "times.json").read_text()).values()
        )
        files = digests(out)
        for timed in TIMED:
            del files[timed]
        found.append(files)
    assert found[0] == found[1]
    assert {"report.json", "report.html"} <= found[0].keys()
    assert {"spikeloom.bin", "spikeloom.bit"} & found[0].keys()
