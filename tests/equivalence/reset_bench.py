"""cocotb test of resets in many cycles of a run."""

from contextlib import nullcontext

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from spikeloom_sim.testbench.suite import Scenario

CYCLES = 400_000  # of all runs that are reset
RESETS = 400  # at most


@cocotb.test()
async def reset_in_many_cycles(dut):
    """A reset of one or two cycles discards a run, whose outputs are taken every other time; the
    next run is not affected."""
    scenario = Scenario(dut)
    bench, longest = scenario.bench, scenario.core.preload_cycles() + scenario.core.cycles()
    await bench.reset()
    resets = min(RESETS, CYCLES // longest)
    assert resets > 20
    for number, waited in enumerate(np.random.default_rng(12).integers(1, longest, resets)):
        beats = scenario.beats(scenario.operands(2 * number))
        async with bench.feeding(beats), bench.taking() if number % 2 else nullcontext():
            await ClockCycles(dut.clk, int(waited))
        await bench.reset(1 + number % 3 // 2)
        assert not int(dut.busy.value)
        assert not scenario.outputs_valid()
        await scenario.check(scenario.operands(2 * number + 1), number + 1)
