"""`FramedInput`: the beats it forwards, and the beats it reports as misframed."""

import random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from spikeloom.blocks.beat import beat
from spikeloom.blocks.framed_input import FramedInput


def run(dut, lasts, seed=0):
    """Offer beats 0, 1, ... with these `lasts`, both ends stalling; each beat (data, last) that
    comes out, and the beats called misframed in some clock in which they were on offer."""
    stalls = random.Random(seed)
    beats, wrong = [], set()

    async def bench(ctx):
        while len(beats) < len(lasts):
            number = len(beats)
            offered, taken = stalls.random() < 0.7, stalls.random() < 0.6
            ctx.set(dut.i.payload.data, number)
            ctx.set(dut.i.payload.last, lasts[number])
            ctx.set(dut.i.valid, offered)
            ctx.set(dut.o.ready, taken)
            assert ctx.get(dut.i.ready) == taken
            assert ctx.get(dut.o.valid) == offered
            misframed = ctx.get(dut.misframed)
            if offered:
                assert misframed == (number in wrong) or number not in seen
                seen.add(number)
                if misframed:
                    wrong.add(number)
            else:
                assert not misframed
            if offered and taken:
                beats.append((ctx.get(dut.o.payload.data), ctx.get(dut.o.payload.last)))
            await ctx.tick()

    seen = set()
    m = Module()
    m.domains.sync = ClockDomain()  # which a single beat a tensor has no use for
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return beats, sorted(wrong)


@pytest.mark.parametrize("seed", range(3))
def test_last_is_that_of_the_count(seed):
    """Two loops, 3 x 2 beats: missing and spurious `last` are detected and corrected."""
    lasts = [int(n % 6 == 5) for n in range(24)]
    faults = [2, 5, 6, 17, 21]
    for fault in faults:
        lasts[fault] ^= 1
    beats, wrong = run(FramedInput(beat(8), token=3, dim=2), lasts, seed)
    assert beats == [(n, int(n % 6 == 5)) for n in range(24)]
    assert wrong == faults


@pytest.mark.parametrize("seed", range(3))
def test_open_ended_believes_whole_tokens(seed):
    """A sequence ends with any token, of four beats, but within none."""
    lasts = [0] * 24
    for end in (3, 7, 10, 19, 20):
        lasts[end] = 1
    beats, wrong = run(FramedInput(beat(8), open_ended=True, beat=4), lasts, seed)
    assert beats == list(enumerate(lasts))
    assert wrong == [10, 20]


def test_one_beat_a_tensor():
    beats, wrong = run(FramedInput(beat(8), token=1, dim=1), [1, 1, 0, 1])
    assert beats == [(n, 1) for n in range(4)]
    assert wrong == [2]
