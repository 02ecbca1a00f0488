"""Damaged frames and resets without end: every accepted run is right, and the device answers.

`pytest -m slow -s tests/link/test_soak.py --frames 1000000` takes that many, in parts of 10,000
that each have a seed, which their names show with the design and the cycles per bit: 8 as `--port
sim`, and the fewest that a link can have. `--done=FILE` goes on after an interruption.
"""

import time

import pytest

from spikeloom.cores.a2os2a import A2OS2A
from spikeloom.cores.a2os2a_block import A2OS2ABlock
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.ssa import SSA
from spikeloom.link.uart import LEAST_DIVISOR
from spikeloom.networks.network import network_core
from spikeloom_boards.driver.sim_port import DIVISOR, SimPort
from tests.networks.random_network import random_network

from .fuzz import fuzz
from .ports import KeptPort

SIZES = {"image": (4, 6, 1), "patch": (2, 3), "dims": 4, "hidden": 4, "classes": 3, "blocks": 1}
GRAPH = random_network(**SIZES, name="soak-net")
NETWORK = network_core(GRAPH)
DESIGNS = {
    "ssa": SSA(tokens=4, head_dim=24, steps=2),
    "a2os2a": A2OS2A(tokens=5, head_dim=6, value_dim=9, k_bits=3),
    "network": NETWORK(lanes=4, weights="loaded"),
    "spiked": Spiked(tokens=4, head_dim=3, value_dim=5, heads=2),
    "a2os2a_block": A2OS2ABlock(tokens=3, head_dim=4, value_dim=6, steps=2, membrane_bits=13),
    "values": SSA(tokens=3, head_dim=6, steps=4, input_kind="values"),
}
PART = 10_000  # damaged frames
SILENCE = 4  # byte times; an answer begins when its request ends


def pytest_generate_tests(metafunc):
    """Parts that take turns among the designs and the cycles per bit, a seed each."""
    if "port" not in metafunc.fixturenames:
        return
    frames = metafunc.config.getoption("--frames")
    kinds = [(name, divisor) for divisor in (DIVISOR, LEAST_DIVISOR) for name in DESIGNS]
    parts = [(kinds[n % len(kinds)], n, min(PART, frames)) for n in range(-(-frames // PART))]
    ids = [f"{name}-{divisor}-{number}" for (name, divisor), number, _ in parts]
    arguments = ("port", "number", "size")
    metafunc.parametrize(arguments, parts, ids=ids, indirect=["port"], scope="module")


@pytest.fixture(scope="module")
def port(request):
    """A simulated device, compiled once for all its parts."""
    name, divisor = request.param
    port = SimPort(DESIGNS[name], divisor, SILENCE)
    yield KeptPort(port)
    port.close()


@pytest.mark.slow
def test_soak(port, number, size):
    begun = time.monotonic()
    outcome = fuzz(port, damaged=size, seed=1000 + number)
    seconds = time.monotonic() - begun
    print(f"{sum(outcome.damaged.values())} damaged frames, {seconds:.0f} s: {outcome}")
    assert sum(outcome.damaged.values()) >= size
    assert outcome.damaged["reset"] >= size // 100
    assert outcome.runs >= size // 500
