"""Splits wide beats into chunks."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .component import Component
from .loop_nest import LoopNest


class RowSplitter(Component):
    """Splits each beat of `width` bits into ``width / chunk`` beats, lowest bits first.

    One chunk per cycle without gaps; the first one follows its beat after `delay` cycles.

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
        self.delay = int(chunk < width)
        super().__init__({"i": In(stream.Signature(width)), "o": Out(stream.Signature(chunk))})

    def elaborate(self, platform):
        m = Module()

        if self._chunk == self._width:
            wiring.connect(m, wiring.flipped(self.i), wiring.flipped(self.o))
            return m

        row = Signal(self._width, reset_less=True)
        holding = Signal()
        m.submodules.chunks = chunks = LoopNest(chunk=self._width // self._chunk)
        m.d.comb += [
            self.o.payload.eq(row),
            self.o.valid.eq(holding),
            chunks.step.eq(self.o.valid & self.o.ready),
            self.i.ready.eq(~holding | (chunks.step & chunks.chunk_last)),
        ]
        with m.If(self.i.ready):
            m.d.sync += holding.eq(self.i.valid)
        with m.If(self.i.ready | chunks.step):
            m.d.sync += row.eq(Mux(self.i.ready, self.i.payload, row >> self._chunk))

        return m
