"""The start of a run: the seed is scrambled, loaded, and the first numbers are drawn."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .random_plan import scramble_round, start_clocks


class SeedScrambler(wiring.Component):
    """Scrambles a seed and starts the random sources that share it.

    `rounds_per_clock` rounds per clock, then one clock each for `load` and `warm`: numbers are
    there ``start_clocks(rounds_per_clock)`` clocks after `start`. One for a core, 64 flip-flops and
    about 130 LUTs (twice that for two rounds per clock).

    Members
    -------
    start : In(1), take `seed`.
    seed : In(64), any number.
    keep : In(1), high from the clock after start: hold the scrambled seed.
    o : Out(64), the scrambled seed, from `load` on as long as `keep` is high.
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
                "keep": In(1),
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

        # Seeds are taken all the time, up to the one at start: `start` has no 64 bits to drive.
        left = Signal(range(self._clocks + 1))
        mixing = Signal()
        with m.If(mixing | ~self.keep):
            m.d.sync += self.o.eq(Mux(mixing, mixed, self.seed))
        with m.If(self.start):
            m.d.sync += [left.eq(self._clocks), mixing.eq(1)]
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
            with m.If(left == 3):
                m.d.sync += mixing.eq(0)

        # Registers, since many wait for them.
        m.d.sync += [
            self.load.eq(left == 3),
            self.warm.eq(left == 2),
            self.busy.eq(self.start | (left > 1)),
        ]

        return m
