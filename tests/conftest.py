"""Shared fixtures: simulators that are there, and configurations small enough to try everything."""

import os
import sys
from pathlib import Path

import pytest

from spikeloom_sim.simulators import SIMULATORS

# Tools of this Python's environment are found whether or not it was activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.fixture(params=sorted(SIMULATORS))
def simulator(request):
    """Each simulator in turn; skipped where it is not installed."""
    if not SIMULATORS[request.param].available():
        pytest.skip(f"{request.param} is not installed")
    return request.param
