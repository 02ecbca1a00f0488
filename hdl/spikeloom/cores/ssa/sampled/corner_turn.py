"""Corner turn: converts rows to words of memories that are read along diagonals."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ....blocks.banks import BankWriter
from ....blocks.claim_ahead import ClaimAhead
from ....blocks.component import Component
from ....blocks.loop_nest import LoopNest
from ....blocks.memory_attributes import NO_READ_WRITE_COLLISION


class CornerTurn(Component):
    """Converts rows 0, 1, ... of a tensor M to the words of its diagonals.

    Word `b` of block `n`, whose first column has place `p` on the diagonal, holds bit
    ``M[(p + x + b) mod tokens, x]`` of its columns x. To align the bits of a word, the columns of a
    block are delayed by `skew`, `skew` - 1, ... rows, so that the last `skew` words also need the
    first `skew` rows. Those are stored and processed again after the last row. With `masked`, their
    bits are written when they arrive, and the remaining bits of those words after the last row.
    One row per cycle; ``tokens + skew`` cycles per tensor.

    Parameters
    ----------
    tokens : rows of the tensor.
    blocks : (columns, place) of each block, lowest columns first.
    skew : one less than the smaller of `tokens` and the columns of the widest block; 0 if rows are
        written unchanged.
    masked : whether the memory writes single bits.

    Members
    -------
    i : In(stream of the bits of all columns), rows.
    w : Out(BankWriter), one bank per tensor: the concatenated bits of all blocks, and `b` of each
        block's word. One write enable, or with `masked` one for each column.
    """

    def __init__(
        self, tokens: int, blocks: Sequence[tuple[int, int]], skew: int, *, masked: bool = False
    ) -> None:
        self._tokens = tokens
        self._blocks = blocks
        self._skew = skew
        self._masked = masked
        columns = sum(width for width, _ in blocks)
        enables = columns if masked else 1
        super().__init__(
            {
                "i": In(stream.Signature(columns)),
                "w": Out(
                    BankWriter(data.ArrayLayout(range(tokens), len(blocks)), columns, enables)
                ),
            }
        )

    def elaborate(self, platform):
        m = Module()
        tokens, skew = self._tokens, self._skew

        # Accept a row, or pass one of the cycles after the last.
        m.submodules.rows = rows = LoopNest(row=tokens + skew)
        m.submodules.bank = bank = ClaimAhead()
        again = Signal()
        m.d.comb += [
            bank.available.eq(self.w.free),
            self.w.reserve.eq(bank.claim),
            bank.done.eq(rows.step & rows.row_last),
            self.i.ready.eq(~again & bank.granted),
            rows.step.eq(again | (self.i.valid & bank.granted)),
        ]
        if skew:
            with m.If(rows.step):
                m.d.sync += again.eq((again | (rows.row == tokens - 1)) & ~rows.row_last)

        # One cycle later the row is shifted in and words are written.
        early = Signal(init=skew > 0)  # the words are not complete yet
        row = Signal(len(self.w.data), reset_less=True)
        shift = Signal()
        written = Signal()
        m.d.sync += [
            row.eq(self.i.payload if self._masked else self._row(m, rows, again, early)),
            shift.eq(rows.step),
            written.eq(rows.step if self._masked else rows.step & ~early),
            self.w.close.eq(rows.step & rows.row_last),
        ]
        delays = self._columns(m, row, shift)
        if self._masked:
            # Column by column, bits become valid in the first rows and invalid after the last.
            # Registers that power up as 0, mask bits that are high and are set between rows: where
            # flip-flops begin as 0, this takes no logic. What is written before the first row is
            # written again.
            void = Signal(skew + 1, reset_less=True)
            mask = Signal(skew + 1, reset_less=True)
            with m.If(rows.step):
                m.d.sync += [void.eq(Cat(again, void)), mask.eq(Cat(again, void))]
            with m.Else():
                m.d.sync += mask.eq(-1)
            m.d.comb += self.w.en.eq(~Cat(mask[delay] for delay in delays))
        else:
            m.d.comb += self.w.en.eq(written)
        self._addresses(m, written)

        return m

    def _addresses(self, m, written):
        """Address of each block's word: the number of the word, less the block's place."""
        tokens = self._tokens
        first_word = -self._skew % tokens if self._masked else 0
        whole = tokens & (tokens - 1) == 0  # a subtraction of numbers wraps around by itself
        words = {}
        for block, (_, place) in enumerate(self._blocks):
            start = first_word if whole else (first_word - place) % tokens
            if start not in words:
                words[start] = word = Signal(range(tokens), init=start, name=f"word_{start}")
                around = 0 if whole else word == tokens - 1
                with m.If(written):
                    m.d.sync += word.eq(Mux(around, 0, word + 1))
                if self._masked:
                    with m.If(self.w.close):
                        m.d.sync += word.eq(start)
            address = words[start]
            if whole and place:
                fixed = (place & -place).bit_length() - 1  # low bits that the place leaves
                address = Cat(address[:fixed], address[fixed:] - (place >> fixed))
            m.d.comb += self.w.addr[block].eq(address)

    def _row(self, m, rows, again, early):
        """The row that arrives, or one of the first rows again; drives `early`."""
        skew, incoming = self._skew, self.i.payload
        if not skew:
            return incoming
        m.submodules.first_rows = first_rows = Memory(
            shape=len(incoming), depth=skew, init=[], attrs=NO_READ_WRITE_COLLISION
        )
        write, read = first_rows.write_port(), first_rows.read_port()
        next_row = Signal(range(skew + 1))  # to process again after the current one
        with m.If(rows.step):
            m.d.sync += early.eq(rows.row_last | (early & (rows.row != skew - 1)))
        m.d.sync += next_row.eq(Mux(again, next_row + 1, 1))
        m.d.comb += [
            write.addr.eq(rows.row),
            write.data.eq(incoming),
            write.en.eq(early),  # repeated until the row arrives
            read.addr.eq(Mux(again, next_row, 0)),
        ]
        return Mux(again, read.data, incoming)

    def _columns(self, m, row, shift):
        """Delay column x of a block by skew - x rows (rows are modulo `tokens`); the delays."""
        delays = []
        for width, _ in self._blocks:
            for x in range(width):
                column = len(delays)
                bit = row[column]
                delay = (self._skew - x) % self._tokens if self._skew else 0
                if delay:
                    delayed = Signal(delay, name=f"delayed_{column}", reset_less=True)
                    with m.If(shift):
                        m.d.sync += delayed.eq(Cat(bit, delayed))
                    bit = delayed[-1]
                m.d.comb += self.w.data[column].eq(bit)
                delays.append(delay)
        return delays
