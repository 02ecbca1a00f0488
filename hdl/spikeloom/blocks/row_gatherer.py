"""Combines chunks into wide beats."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from .beat import beat
from .component import Component
from .loop_nest import LoopNest


class RowGatherer(Component):
    """Combines every `chunks` beats of `width` bits into one, the first in the lowest bits.

    The ``last`` of the result is that of its last chunk. One chunk per cycle without gaps.

    Members
    -------
    i : In(stream of {data: `width` bits, last}).
    o : Out(stream of {data: ``chunks * width`` bits, last}).
    """

    delay = 1  # cycles from a row's last chunk to the row

    def __init__(self, width: int, chunks: int) -> None:
        self._width = width
        self._chunks = chunks
        super().__init__(
            {
                "i": In(stream.Signature(beat(width))),
                "o": Out(stream.Signature(beat(chunks * width))),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.gathered = gathered = LoopNest(chunk=self._chunks)
        row = Signal(self._chunks * self._width, reset_less=True)
        last = Signal(reset_less=True)
        m.d.comb += [
            self.o.payload.data.eq(row),
            self.o.payload.last.eq(last),
            self.i.ready.eq(~self.o.valid | self.o.ready),
            gathered.step.eq(self.i.valid & self.i.ready),
        ]
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(gathered.step & gathered.chunk_last)
        with m.If(gathered.step):
            m.d.sync += [
                row.eq(Cat(row, self.i.payload.data)[self._width :]),
                last.eq(self.i.payload.last),
            ]

        return m
