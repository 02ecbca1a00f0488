"""Start of a run: scrambles the seed, loads it and draws the first numbers."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..blocks.seeding import Seeding
from .random_plan import SCRAMBLE_TURNS, turned_sum


class SeedScrambler(Component):
    """Scrambles a seed and starts the random sources that share it.

    Each half of the scrambling takes a cycle, and so do loading and warming up. Numbers are valid
    `random_plan.START_CYCLES` cycles after `start`. A core has one scrambler of 128 LUTs with
    flip-flops.

    Members
    -------
    start : In(1), sample `seed`.
    seed : In(64), any number.
    keep : In(1), high from the cycle after start: hold the scrambled seed.
    seeding : Out(Seeding()), to all sources; its seed is stable while `keep` is high.
    busy : Out(1), high until the numbers are valid.
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

        # The seed is sampled in every cycle until `start`, which therefore does not drive 64
        # enables.
        half, held = Signal.like(self.seed), Signal()
        first, second = SCRAMBLE_TURNS
        m.d.sync += [half.eq(turned_sum(self.seed, first)), held.eq(self.keep)]
        with m.If(~held):
            m.d.sync += seeding.seed.eq(turned_sum(half, second))

        # Registers, because of their high fan-out.
        halfway = Signal()
        m.d.sync += [
            halfway.eq(self.start),
            seeding.load.eq(halfway),
            seeding.warm.eq(seeding.load),
            self.busy.eq(self.start | halfway | seeding.load),
        ]

        return m
