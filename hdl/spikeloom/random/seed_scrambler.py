"""The start of a run: the seed is scrambled, loaded, and the first numbers are drawn."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .random_plan import START_CLOCKS, scramble_round


class SeedScrambler(wiring.Component):
    """Scrambles a seed and starts the random sources that share it.

    One round per clock, then one clock each for `load` and `warm`: numbers are there
    ``START_CLOCKS`` clocks after `start`. One for a core, 64 flip-flops and about 130 LUTs.

    Members
    -------
    start : In(1), take `seed`.
    seed : In(64), any number.
    o : Out(64), the scrambled seed, while `load` is high.
    load, warm : Out(1), for the ports of `RandomSource`: take the seed; make a first step.
    busy : Out(1), until the numbers are there.
    """

    start: In(1)
    seed: In(64)
    o: Out(64)
    load: Out(1)
    warm: Out(1)
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()

        left = Signal(range(START_CLOCKS + 1))
        with m.If(self.start):
            m.d.sync += [self.o.eq(self.seed), left.eq(START_CLOCKS)]
        with m.Elif(self.busy):
            m.d.sync += left.eq(left - 1)
            with m.If(left > 2):
                m.d.sync += self.o.eq(scramble_round(self.o, lambda x, n: x.rotate_left(n)))
        m.d.comb += [
            self.load.eq(left == 2),
            self.warm.eq(left == 1),
            self.busy.eq(left != 0),
        ]

        return m
