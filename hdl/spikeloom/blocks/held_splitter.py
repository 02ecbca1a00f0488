"""Splits wide beats into chunks without a register for the beat."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from .component import Component
from .loop_nest import LoopNest
from .pieces import pieces
from .select import select


class HeldSplitter(Component):
    """Splits each beat of `width` bits into ``width / chunk`` beats, lowest bits first.

    One chunk per cycle without gaps; the first one follows its beat after one cycle. Unlike a
    `RowSplitter`, it leaves the beat at its input and accepts it with the last chunk. It takes a
    register and a multiplexer for a chunk instead of a shift register for a beat.

    Members
    -------
    i : In(stream of `width` bits).
    o : Out(stream of `chunk` bits).
    """

    def __init__(self, width: int, chunk: int) -> None:
        if width % chunk:
            raise ValueError(f"chunk must divide the width {width}, not {chunk!r}")
        self._width = width
        self._chunk = chunk
        super().__init__({"i": In(stream.Signature(width)), "o": Out(stream.Signature(chunk))})

    def elaborate(self, platform):
        m = Module()

        m.submodules.chunks = chunks = LoopNest(chunk=self._width // self._chunk)
        free = ~self.o.valid | self.o.ready
        m.d.comb += [
            chunks.step.eq(self.i.valid & free),
            self.i.ready.eq(free & chunks.chunk_last),
        ]
        with m.If(free):
            m.d.sync += [
                self.o.valid.eq(self.i.valid),
                self.o.payload.eq(select(pieces(self.i.payload, self._chunk), chunks.chunk)),
            ]

        return m
