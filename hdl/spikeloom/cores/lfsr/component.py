"""An LFSR with a stream of its windows."""

from amaranth.hdl import Module
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.seeding import Seeding
from ...random.lfsr import LFSR


class LFSRStream(Component):
    """Sends the window of an `LFSR`, which advances by `leap` bits with each transfer.

    One window per cycle, starting in the cycle after loading; no latency.

    Parameters
    ----------
    width : bits of the register and of a window.
    leap : bits per beat.

    Members
    -------
    seeding : In(Seeding()); loads the low bits of the seed, and `warm` is ignored.
    run : In(1), send.
    o : Out(stream of `width` bits).
    """

    def __init__(self, width: int, leap: int) -> None:
        self._width = width
        self._leap = leap
        super().__init__(
            {
                "seeding": In(Seeding()),
                "run": In(1),
                "o": Out(stream.Signature(width)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.lfsr = lfsr = LFSR(self._width, self._leap)
        m.d.comb += [
            lfsr.load.eq(self.seeding.load),
            lfsr.seed.eq(self.seeding.seed[: self._width]),
            lfsr.step.eq(self.seeding.load | self.o.valid & self.o.ready),
            self.o.payload.eq(lfsr.o),
            self.o.valid.eq(self.run),
        ]

        return m
