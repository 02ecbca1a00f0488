"""Run the command line in the test process."""

from dataclasses import dataclass

import numpy as np
import pytest

from spikeloom_cli.main import main


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
