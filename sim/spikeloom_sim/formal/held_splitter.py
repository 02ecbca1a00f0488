"""`HeldSplitter`: every chunk of every beat once, in order and without delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Mux, Signal

from spikeloom.blocks.held_splitter import HeldSplitter

from .harness import Harness, moved, steady
from .properties import cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module


class HeldSplitterContract(Harness):
    """Chunks out = chunks copied - chunk held, in the correct order; the output is stable.

    A beat is accepted with its last chunk, and a chunk is copied as soon as there is room for it.
    Use mode "prove" (unbounded).

    Parameters
    ----------
    width, chunk : of the `HeldSplitter`.
    """

    def __init__(self, width: int, chunk: int) -> None:
        self._width = width
        self._chunk = chunk
        super().__init__(HeldSplitter(width, chunk))

    def check(self, m: Module) -> None:
        i, o = self.dut.i, self.dut.o
        n = self._width // self._chunk
        due = Signal(range(n))  # number of the chunk to copy next
        held, expected = Signal(), Signal(self._chunk)
        room = ~held | moved(o)
        copied = i.valid & room
        m.d.sync += held.eq(Mux(copied, 1, held & ~moved(o)))
        with m.If(copied):
            m.d.sync += [
                due.eq(Mux(due == n - 1, 0, due + 1)),
                expected.eq(i.payload.word_select(due, self._chunk)),
            ]
        m.d.comb += [
            prove(steady(m, o, "o")),
            prove(o.valid == held),
            prove(~o.valid | (o.payload == expected)),
            prove(i.ready == (room & (due == n - 1))),
            cover(moved(i) & moved(o)),
        ]
        if n > 1:  # for induction
            m.d.comb += prove(self.inside("chunks.chunk") == due)
