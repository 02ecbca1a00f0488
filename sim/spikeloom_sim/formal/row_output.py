"""`RowOutput`: every row of every block once and in order, and space for all reservations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Mux, Signal

from spikeloom.cores.ssa.row_output import RowOutput

from .harness import Harness, moved, steady
from .properties import assume, cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module


class RowOutputContract(Harness):
    """Rows out = `rows` * blocks in - rows stored; order and `last` of the rows are correct.

    Protocol: reserve only while `free`; one block arrives later for each reservation. Then the
    queue never overflows. Use mode "prove" (unbounded).

    Parameters
    ----------
    tokens, width, rows, depth : of the `RowOutput`.
    """

    def __init__(self, tokens: int, width: int, *, rows: int, depth: int) -> None:
        self._tokens = tokens
        self._width = width
        self._rows = rows
        self._depth = depth
        super().__init__(RowOutput(tokens, width, rows=rows, depth=depth))

    def check(self, m: Module) -> None:
        dut, rows, depth, width = self.dut, self._rows, self._depth, self._width
        most = (depth + 1) * rows

        owed = Signal(range(-1, depth + 2))  # blocks reserved and not yet received
        m.d.sync += owed.eq(owed + dut.i.reserve - dut.i.en)
        m.d.comb += [assume(~dut.i.reserve | dut.i.free), assume(~dut.i.en | (owed > 0))]

        # The rows stored, next output first; a block is appended.
        held = Signal(range(-1, most + rows + 1))
        queue = [Signal(width, name=f"held_{n}") for n in range(most)]
        behind = held - moved(dut.o)
        m.d.sync += held.eq(behind + Mux(dut.i.en, rows, 0))
        for n, place in enumerate(queue):
            following = queue[n + 1] if n + 1 < most else Const(0, width)
            m.d.sync += place.eq(Mux(moved(dut.o), following, place))
            for row in range(rows):
                with m.If(dut.i.en & (behind + row == n)):
                    m.d.sync += place.eq(dut.i.data.word_select(row, width))

        token = Signal(range(self._tokens))
        with m.If(moved(dut.o)):
            m.d.sync += token.eq(Mux(token == self._tokens - 1, 0, token + 1))

        m.d.comb += [
            prove(steady(m, dut.o, "o")),
            prove((held >= 0) & (held <= most)),
            cover((held == most) & moved(dut.o)),
            cover(moved(dut.o) & dut.o.payload.last),
            prove(~dut.i.en | self.inside("queue.w_rdy")),
            prove(~dut.o.valid | (held > 0)),
            prove(~dut.o.valid | (dut.o.payload.data == queue[0])),
            prove(~dut.o.valid | (dut.o.payload.last == (token == self._tokens - 1))),
        ]
        self._strengthen(m, owed, held, queue, token)

    def _strengthen(self, m, owed, held, queue, token):
        """Invariants: splitter, queue and counters hold exactly the rows of `queue`, in order."""
        rows, depth, width = self._rows, self._depth, self._width
        level = self.inside("queue.level")
        consume = self.inside("queue.consume")
        split = Const(0)  # rows of a block in the splitter
        if rows > 1:
            holding = self.inside("splitter.holding")
            chunk = self.inside("splitter.chunks.chunk")
            split = Mux(holding, rows - chunk, 0)
            m.d.comb += [prove(chunk < rows), prove(holding | (chunk == 0))]
            # A block moves at once: with rows queued, the splitter is empty for one cycle at most.
            for n in range(rows):
                row = self.inside("splitter.row").word_select(n, width)
                m.d.comb += prove((n >= split) | (row == queue[n]))

        stored = self.stored_words("queue.storage", depth)
        for ahead in range(rows + 1):
            for block in range(depth):
                begin = ahead + block * rows
                word = Cat(queue[begin : begin + rows])
                at = consume + block
                found = stored[0]
                for address in range(1, depth):
                    here = (at == address) | (at == address + depth)
                    found = Mux(here, stored[address], found)
                holds = (split == ahead) & (block < level)
                m.d.comb += prove(~holds | (found == word))

        m.d.comb += [
            prove(held == level * rows + split),
            prove(self.inside("reserved") == owed + level),
            prove((owed >= 0) & (owed + level <= depth)),
        ]
        if self._tokens > 1:
            m.d.comb += prove(self.inside("sent.token") == token)
