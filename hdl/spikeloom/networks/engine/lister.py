"""Writes the event list of each token: fixed entries, and an event for each bit that is set."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.one_hot import encode
from ...blocks.pipeline import Pipeline
from .operation import PIECE_BITS, Kind
from .row_reader import piece_layout


class Lister(Component):
    """Converts pieces of rows to the entries of event lists, one entry per cycle.

    A piece that adds no entry takes one cycle. Entries leave `delay` cycles after the piece.

    Fixed entries come from the table of operations, which the lister reads with a latency of one
    cycle. They are in three sequences, each closed by an entry that is marked as its last: `head`
    for the first row of a token, `following` for each other row, and `after`, which is the tail of
    the token or, without one, the head again.

    Parameters
    ----------
    word_bits : of `piece_layout`.
    table_bits : bits of an address of the table.
    entry_bits : bits of an entry.

    Members
    -------
    go : In(1), begin an operation. `head`, `following`, `after` and `tailed` are constant.
    head, following, after : In(table_bits), addresses of the sequences.
    tailed : In(1), `after` is a tail.
    table_addr : Out(table_bits), table_data : In(entry_bits + 1): entry, and whether it is last.
    i : In(stream of `piece_layout`).
    room : In(1), a list may begin.
    begins : Out(1), a list begins in this cycle.
    w_en : Out(1), w_entry : Out(entry_bits), an entry of the list.
    close : Out(1), the list ends with the entry of this cycle, if there is one.
    """

    delay = 3

    def __init__(self, *, word_bits: int, table_bits: int, entry_bits: int) -> None:
        self._word_bits = word_bits
        self._entry_bits = entry_bits
        super().__init__(
            {
                "go": In(1),
                **{name: In(table_bits) for name in ("head", "following", "after")},
                "tailed": In(1),
                "table_addr": Out(table_bits),
                "table_data": In(entry_bits + 1),
                "i": In(stream.Signature(piece_layout(word_bits))),
                "room": In(1),
                "begins": Out(1),
                "w_en": Out(1),
                "w_entry": Out(entry_bits),
                "close": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        piece = self.i.payload

        # The current piece: its remaining bits, and the fixed entries before and after them.
        have, prefix, some, tail = Signal(), Signal(), Signal(), Signal()
        single = Signal(reset_less=True)  # `rest` is empty
        left, rest = Signal(PIECE_BITS, reset_less=True), Signal(PIECE_BITS, reset_less=True)
        word, last = Signal(self._word_bits, reset_less=True), Signal(reset_less=True)
        literal, literal_last = self.table_data[:-1], self.table_data[-1]
        fixed, over, take = Signal(), Signal(), Signal()
        m.d.comb += [
            fixed.eq(have & (prefix | (~some & tail))),
            over.eq(
                Mux(
                    prefix,
                    literal_last & ~some & ~tail,
                    Mux(some, single & ~tail, ~tail | literal_last),
                )
            ),
            take.eq((~have | over) & (~piece.first | self.room)),
            self.i.ready.eq(take),
            self.begins.eq(take & self.i.valid & piece.first),
        ]
        with m.If(take):
            m.d.sync += [
                have.eq(self.i.valid),
                prefix.eq(piece.begins),
                some.eq(piece.some),
                single.eq(piece.single),
                tail.eq(piece.last & self.tailed),
                left.eq(piece.bits),
                rest.eq(piece.rest),
                word.eq(piece.word),
                last.eq(piece.last),
            ]
        with m.Elif(over):
            m.d.sync += have.eq(0)
        with m.Elif(prefix):
            m.d.sync += prefix.eq(~literal_last)
        with m.Elif(some):
            next_rest = rest & (rest - 1)[:PIECE_BITS]
            m.d.sync += [
                left.eq(rest),
                rest.eq(next_rest),
                some.eq(~single),
                single.eq(next_rest == 0),
            ]

        self._read_table(m, take, fixed, fixed & literal_last, prefix)

        self._write_entry(
            m,
            hot=left & ~rest,
            word=word,
            enable=have & (prefix | some | tail),
            fixed=fixed,
            literal=literal,
            close=have & over & last,
        )

        return m

    def _write_entry(self, m, *, hot, word, enable, fixed, literal, close):
        """The lowest bit that is set, then its number, then the entry."""
        pipeline = Pipeline(m)
        enable = pipeline.register(enable, "hot_enable", reset_less=False)
        close = pipeline.register(close, "hot_close", reset_less=False)
        fixed, literal = (
            pipeline.register(fixed, "hot_fixed"),
            pipeline.register(literal, "hot_literal"),
        )
        hot, word = pipeline.register(hot, "hot"), pipeline.register(word, "hot_word")
        event = Signal(self._entry_bits)
        m.d.comb += event.eq(Cat(Const(Kind.EVENT, 3), encode(hot), word))
        m.d.sync += [
            self.w_en.eq(enable),
            self.w_entry.eq(Mux(fixed, literal, event)),
            self.close.eq(close),
        ]

    def _read_table(self, m, take, fixed, ends, prefix):
        """Keep the table at the fixed entry that comes next."""
        piece = self.i.payload
        addr, after = Signal.like(self.table_addr), Signal.like(self.table_addr)
        with m.If(take):
            m.d.sync += after.eq(Mux(piece.last_row, self.after, self.following))
        m.d.comb += self.table_addr.eq(addr)
        with m.If(fixed):
            m.d.comb += self.table_addr.eq(addr + 1)
        with m.If(ends):
            # The tail is followed by the head of the next token.
            m.d.comb += self.table_addr.eq(Mux(prefix, after, self.head))
        with m.If(self.go):
            m.d.comb += self.table_addr.eq(self.head)
        m.d.sync += addr.eq(self.table_addr)
