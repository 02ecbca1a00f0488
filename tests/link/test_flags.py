"""Flags of any core and any width reach the host."""

from contextlib import closing

import numpy as np
import pytest

from spikeloom.cores.a2os2a import A2OS2A
from spikeloom.cores.a2os2a_block import A2OS2ABlock
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.ssa import SSA
from spikeloom.export.verilog import to_verilog
from spikeloom.link.identity import Identity
from spikeloom.link.protocol import CYCLE_BYTES, read_status, status_bytes
from spikeloom_boards.driver import Device
from spikeloom_boards.driver.backend import run_batch
from spikeloom_boards.driver.golden_port import GoldenPort
from spikeloom_boards.driver.jobs import self_test
from spikeloom_boards.driver.sim_port import SimPort
from spikeloom_sim.backends import RTL

from .ports import KeptPort

BLOCK = A2OS2ABlock(tokens=13, head_dim=12, value_dim=6, steps=2, k_bits=2, k_shift=0)


def operands_of(config, density):
    return config.random_operands(np.random.default_rng(5), density)


@pytest.mark.parametrize(
    ("config", "flags"),
    [
        (SSA(tokens=4, head_dim=8), {"misframed": 1}),
        (Spiked(tokens=4, head_dim=3), {"misframed": 1}),
        (A2OS2A(tokens=4, head_dim=3), {"misframed": 1, "saturated": 1}),
        (BLOCK, {"misframed": 1, "k_saturated": 32}),
    ],
    ids=lambda value: getattr(value, "NAME", ""),
)
def test_flags_are_the_outputs_beside_the_fixed_ones(config, flags):
    """The same for the link, for a device's identity and for the generated Verilog."""
    component = config.create()
    assert {name: len(getattr(component, name)) for name in config.flags} == flags
    assert to_verilog(config).flags == list(flags)
    identity = Identity.of(config, 8_000_000)
    assert Identity.from_bytes(identity.to_bytes()).flags == flags


def test_status_carries_each_flag_in_whole_bytes():
    flags = {"misframed": 1, "k_saturated": 32, "odd": 9}
    data = bytes(range(1, 1 + status_bytes(flags)))
    assert len(data) == CYCLE_BYTES + 1 + 4 + 2
    cycles, values = read_status(data, flags)
    assert cycles == 0x0504030201
    assert values == {"misframed": 6, "k_saturated": 0x0A090807, "odd": 0x0C0B}


@pytest.mark.parametrize("make", [GoldenPort, pytest.param(SimPort, marks=pytest.mark.long)])
def test_a_count_beyond_a_byte_reaches_the_host(make):
    """The count accumulates over the runs of a session and restarts with the next."""
    port = make(BLOCK)
    with closing(port):
        check_counts(KeptPort(port))


def check_counts(port):
    operands = operands_of(BLOCK, 0.5)
    cut = BLOCK.compute(**operands)["k_saturated"]
    assert 100 < cut < 256 < 2 * cut
    with Device(port, BLOCK) as device:
        for runs in (1, 2):
            run = device.run(**operands)
            assert run.flags == {"misframed": 0, "k_saturated": runs * cut}
    with Device(port, BLOCK) as device:
        assert device.run(**operands_of(BLOCK, -1)).flags["k_saturated"] == 0
        runs = run_batch(device, BLOCK, [operands, operands])
        assert runs[-1].flags["k_saturated"] == 2 * cut
        assert self_test(device)[-1].flags["k_saturated"] > 2 * cut


@pytest.mark.long
def test_rtl_tells_them_too():
    operands = operands_of(BLOCK, 0.5)
    cut = BLOCK.compute(**operands)["k_saturated"]
    runs = RTL().run(BLOCK, [operands, operands])
    assert runs[-1].flags == {"misframed": 0, "k_saturated": 2 * cut}
