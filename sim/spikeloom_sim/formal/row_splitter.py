"""`RowSplitter`: every chunk of every beat once, in order and without delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Mux, Signal

from spikeloom.blocks.row_splitter import RowSplitter

from .harness import Harness, moved, steady
from .properties import cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module

    from spikeloom.blocks.component import Component


class RowSplitterContract(Harness):
    """Chunks out = n * beats in - chunks stored, in the correct order; the output is stable.

    Ready is asserted as soon as the last chunk is transferred. Use mode "prove" (unbounded).

    Parameters
    ----------
    width, chunk : of the `RowSplitter`.
    component : a faulty replacement, to check that the proof fails.
    """

    def __init__(self, width: int, chunk: int, component: Component | None = None) -> None:
        self._width = width
        self._chunk = chunk
        super().__init__(component or RowSplitter(width, chunk))

    def check(self, m: Module) -> None:
        i, o = self.dut.i, self.dut.o
        n = self._width // self._chunk
        m.d.comb += [prove(steady(m, o, "o")), cover(moved(i) & moved(o))]
        if n == 1:
            m.d.comb += [
                prove(moved(i) == moved(o)),
                prove(~o.valid | (o.payload == i.payload)),
            ]
            return

        held = Signal(range(n + 1))
        beat = Signal(self._width)
        m.d.sync += held.eq(held + Mux(moved(i), n, 0) - moved(o))
        with m.If(moved(i)):
            m.d.sync += beat.eq(i.payload)
        due = (n - held)[: n.bit_length()]  # number of the next chunk
        m.d.comb += [
            prove(held <= n),
            prove(o.valid == (held != 0)),
            prove(~o.valid | (o.payload == beat.word_select(due, self._chunk))),
            prove(i.ready == ((held == 0) | ((held == 1) & moved(o)))),
        ]

        # Invariants for induction: position and register agree with the chunks stored.
        place = Mux(held == 0, 0, due)
        m.d.comb += [
            prove(self.inside("chunks.chunk") == place),
            prove((held == 0) | (self.inside("row") == beat >> (due * self._chunk))),
        ]
