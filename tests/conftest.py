"""Shared fixtures: simulators that are there, and configurations small enough to try everything."""

import pytest

from spikeloom_sim.simulators import SIMULATORS


@pytest.fixture(params=sorted(SIMULATORS))
def simulator(request):
    """Each simulator in turn; skipped where it is not installed."""
    if not SIMULATORS[request.param].available():
        pytest.skip(f"{request.param} is not installed")
    return request.param
