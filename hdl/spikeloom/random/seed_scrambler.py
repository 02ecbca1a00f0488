"""The start of a run: the seed is scrambled, loaded, and the first numbers are drawn."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..blocks.seeding import Seeding
from .random_plan import SCRAMBLE_TURNS, turned_sum


class SeedScrambler(Component):
    """Scrambles a seed and starts the random sources that share it.

    A cycle for each half of the scrambling, then one each to load and to warm up: numbers are there
    `random_plan.START_CLOCKS` cycles after `start`. One for a core, 128 LUTs with their flip-flops.

    Members
    -------
    start : In(1), take `seed`.
    seed : In(64), any number.
    keep : In(1), high from the cycle after start: hold the scrambled seed.
    seeding : Out(Seeding()), to all sources; its seed stays as long as `keep` is high.
    busy : Out(1), until the numbers are there.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "seed": In(64),
                "keep": In(1),
                "seeding": Out(Seeding()),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        seeding = self.seeding

        # Seeds are taken all the time, up to the one at start: `start` has no 64 bits to drive.
        half, held = Signal.like(self.seed), Signal()
        first, second = SCRAMBLE_TURNS
        m.d.sync += [half.eq(turned_sum(self.seed, first)), held.eq(self.keep)]
        with m.If(~held):
            m.d.sync += seeding.seed.eq(turned_sum(half, second))

        # Registers, since many wait for them.
        halfway = Signal()
        m.d.sync += [
            halfway.eq(self.start),
            seeding.load.eq(halfway),
            seeding.warm.eq(seeding.load),
            self.busy.eq(self.start | halfway | seeding.load),
        ]

        return m
