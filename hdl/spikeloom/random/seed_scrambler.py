"""The start of a run: the seed is scrambled, loaded, and the first numbers are drawn."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .random_plan import scramble_round, start_clocks


class SeedScrambler(wiring.Component):
    """Scrambles a seed and starts the random sources that share it.

    `rounds_per_clock` rounds per clock, then one clock each for `load` and `warm`: numbers are
    there ``start_clocks(rounds_per_clock)`` clocks after `start`. One for a core, 64 flip-flops and
    about 130 LUTs (twice that for two rounds per clock). The scrambled seed stays until the next
    start.

    Members
    -------
    start : In(1), take `seed`.
    seed : In(64), any number.
    o : Out(64), the scrambled seed, from `load` on.
    load, warm : Out(1), for the ports of `RandomSource`: take the seed; make a first step.
    busy : Out(1), until the numbers are there.
    """

    def __init__(self, rounds_per_clock=1):
        self._rounds = rounds_per_clock
        self._clocks = start_clocks(rounds_per_clock)
        super().__init__(
            {
                "start": In(1),
                "seed": In(64),
                "o": Out(64),
                "load": Out(1),
                "warm": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        mixed = self.o
        for _ in range(self._rounds):
            mixed = scramble_round(mixed, lambda x, n: x.rotate_left(n))

        left = Signal(range(self._clocks + 1))
        with m.If(self.start):
            m.d.sync += [self.o.eq(self.seed), left.eq(self._clocks)]
        with m.Elif(self.busy):
            m.d.sync += left.eq(left - 1)
            with m.If(left > 2):
                m.d.sync += self.o.eq(mixed)
        m.d.comb += [
            self.load.eq(left == 2),
            self.warm.eq(left == 1),
            self.busy.eq(left != 0),
        ]

        return m
