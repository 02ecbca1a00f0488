"""cocotb tests of a `FlashLoader` next to the flash memory of cocotbext-qspi."""

import json
import os
import random
from itertools import pairwise
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge

from spikeloom_sim.simulators.cocotb_run import PERIOD_NS


@cocotb.test()
async def receives_all_beats(dut):
    """All beats arrive, with `last` at the end, or none; the stream pauses at random."""
    expected = json.loads(Path(os.environ["SPIKELOOM_BEATS"]).read_text())
    rng = random.Random(1)
    dut.rst.value = 1
    dut.o_ready.value = 0
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    await RisingEdge(dut.clk)
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    received, falls, before = [], [], 0
    for cycle in range(40_000):
        await RisingEdge(dut.clk)
        dut.o_ready.value = rng.random() < 0.05
        await ReadOnly()
        if before and not dut.sck.value:
            falls.append(cycle)
        before = int(dut.sck.value)
        if dut.o_valid.value and dut.o_ready.value:
            received.append([int(dut.o_data.value), int(dut.o_last.value)])
        if not dut.busy.value:
            break
    assert not dut.busy.value
    assert received == expected
    assert bool(dut.loaded.value) == bool(expected)
    assert min(b - a for a, b in pairwise(falls)) == 4
