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
    block are delayed by `skew`, `skew` - 1, ... rows, and the first `skew` rows are processed again
    after the last. One row per cycle; ``tokens + skew`` cycles per tensor.

    Parameters
    ----------
    tokens : rows of the tensor.
    blocks : (columns, place) of each block, lowest columns first.
    skew : one less than the smaller of `tokens` and the columns of the widest block; 0 if rows are
        written unchanged.

    Members
    -------
    i : In(stream of the bits of all columns), rows.
    w : Out(BankWriter), one bank per tensor: the concatenated bits of all blocks, and `b` of each
        block's word.
    """

    def __init__(self, tokens: int, blocks: Sequence[tuple[int, int]], skew: int) -> None:
        self._tokens = tokens
        self._blocks = blocks
        self._skew = skew
        columns = sum(width for width, _ in blocks)
        super().__init__(
            {
                "i": In(stream.Signature(columns)),
                "w": Out(BankWriter(data.ArrayLayout(range(tokens), len(blocks)), columns)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        tokens, skew = self._tokens, self._skew

        # Accept a row, or process one of the first rows again.
        m.submodules.rows = rows = LoopNest(row=tokens + skew)
        m.submodules.bank = bank = ClaimAhead()
        again = Signal()
        early = Signal(init=skew > 0)  # the words are not complete yet
        m.d.comb += [
            bank.available.eq(self.w.free),
            self.w.reserve.eq(bank.claim),
            bank.done.eq(rows.step & rows.row_last),
            self.i.ready.eq(~again & bank.granted),
            rows.step.eq(again | (self.i.valid & bank.granted)),
        ]
        incoming = self.i.payload
        if skew:
            m.submodules.first_rows = first_rows = Memory(
                shape=len(incoming), depth=skew, init=[], attrs=NO_READ_WRITE_COLLISION
            )
            write, read = first_rows.write_port(), first_rows.read_port()
            next_row = Signal(range(skew + 1))  # to process again after the current one
            with m.If(rows.step):
                m.d.sync += [
                    again.eq((again | (rows.row == tokens - 1)) & ~rows.row_last),
                    early.eq(rows.row_last | (early & (rows.row != skew - 1))),
                ]
            m.d.sync += next_row.eq(Mux(again, next_row + 1, 1))
            m.d.comb += [
                write.addr.eq(rows.row),
                write.data.eq(incoming),
                write.en.eq(early),  # repeated until the row arrives
                read.addr.eq(Mux(again, next_row, 0)),
            ]
            incoming = Mux(again, read.data, incoming)

        # One cycle later the row is shifted in and words are written.
        row = Signal(len(self.w.data), reset_less=True)
        shift = Signal()
        m.d.sync += [
            row.eq(incoming),
            shift.eq(rows.step),
            self.w.en.eq(rows.step & ~early),
            self.w.close.eq(rows.step & rows.row_last),
        ]

        # Column x of a block is delayed by skew - x rows (rows are modulo `tokens`).
        column = 0
        for width, _ in self._blocks:
            for x in range(width):
                bit = row[column]
                delay = (skew - x) % tokens if skew else 0
                if delay:
                    delayed = Signal(delay, name=f"delayed_{column}", reset_less=True)
                    with m.If(shift):
                        m.d.sync += delayed.eq(Cat(bit, delayed))
                    bit = delayed[-1]
                m.d.comb += self.w.data[column].eq(bit)
                column += 1

        # Blocks with the same place have the same address.
        addresses = {}
        for block, (_, place) in enumerate(self._blocks):
            start = -place % tokens
            if start not in addresses:
                addresses[start] = address = Signal(
                    range(tokens), init=start, name=f"address_{start}"
                )
                with m.If(self.w.en):
                    m.d.sync += address.eq(Mux(address == tokens - 1, 0, address + 1))
            m.d.comb += self.w.addr[block].eq(addresses[start])

        return m
