"""The start of a run: the seed is scrambled, loaded, and the first numbers are drawn."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .random_plan import SCRAMBLE_TURNS, turned_sum


class SeedScrambler(wiring.Component):
    """Scrambles a seed and starts the random sources that share it.

    A clock for each half of the scrambling, then one each for `load` and `warm`: numbers are there
    `random_plan.START_CLOCKS` clocks after `start`. One for a core, 128 LUTs with their flip-flops.

    Members
    -------
    start : In(1), take `seed`.
    seed : In(64), any number.
    keep : In(1), high from the clock after start: hold the scrambled seed.
    o : Out(64), the scrambled seed, from `load` on as long as `keep` is high.
    load, warm : Out(1), for the ports of `RandomSource`: take the seed; make a first step.
    busy : Out(1), until the numbers are there.
    """

    start: In(1)
    seed: In(64)
    keep: In(1)
    o: Out(64)
    load: Out(1)
    warm: Out(1)
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()

        # Seeds are taken all the time, up to the one at start: `start` has no 64 bits to drive.
        half, held = Signal.like(self.seed), Signal()
        first, second = SCRAMBLE_TURNS
        m.d.sync += [half.eq(turned_sum(self.seed, first)), held.eq(self.keep)]
        with m.If(~held):
            m.d.sync += self.o.eq(turned_sum(half, second))

        # Registers, since many wait for them.
        halfway = Signal()
        m.d.sync += [
            halfway.eq(self.start),
            self.load.eq(halfway),
            self.warm.eq(self.load),
            self.busy.eq(self.start | halfway | self.load),
        ]

        return m
