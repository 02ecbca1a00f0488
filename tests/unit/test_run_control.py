"""`RunControl`: `begin`, `busy` and `done` of runs that follow each other."""

import random

import pytest
from amaranth.sim import Simulator

from spikeloom.blocks.run_control import RunControl


@pytest.mark.parametrize("tensors", [1, 2, 5])
def test_runs_end_with_their_last_tensor(tensors):
    """`start` and `last` at random: taken only while idle, counted only in a run."""
    dut = RunControl(tensors)
    rng = random.Random(tensors)
    runs = [0]

    async def bench(ctx):
        busy, done, left = False, False, 0
        for _ in range(2000):
            start = rng.random() < 0.4
            last = busy and rng.random() < 0.5  # outputs leave only in a run
            ctx.set(dut.control.start, start)
            ctx.set(dut.last, last)
            begin = start and not busy
            assert ctx.get(dut.begin) == begin
            assert ctx.get(dut.control.busy) == busy
            assert ctx.get(dut.control.done) == done
            done = last and left == 1
            left = tensors if begin else left - last
            busy = begin or (busy and not done)
            runs[0] += done
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert runs[0] > 50
