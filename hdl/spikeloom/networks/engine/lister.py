"""Writes the event list of each token: fixed entries, and an event for each bit that is set."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.one_hot import any_lower, at_most_one, encode
from ...blocks.pieces import pieces
from ...blocks.pipeline import Pipeline
from .operation import PIECE_BITS, Kind
from .row_reader import piece_layout

GROUP = 4  # bits of a piece that are looked at together: the inputs of a look-up table


class Lister(Component):
    """Converts pieces of rows to the entries of event lists, one entry per cycle.

    A first stage goes through the groups of four bits of a piece, without those that are zero, and
    a second one through the bits of a group. The first one waits for the second, but takes a piece
    if it is empty, so that a list which had to wait for room begins without a gap.

    A piece without events takes one cycle besides its fixed entries, and so does one with a tail.
    Entries leave `delay` cycles after the piece.

    Fixed entries come from the table of operations, which the lister reads with a latency of one
    cycle. They are in three sequences, each closed by an entry that is marked as its last: `head`
    for the first row of a token, `following` for each other row, and `after`, which is the tail of
    the token or, without one, the head again.

    Parameters
    ----------
    word_bits : of `piece_layout`.
    table_bits : bits of an address of the table.
    entry_bits : bits of an entry.
    digits : whether any operation has weights of two digits.
    codes : whether any operation reads phase codes.

    Members
    -------
    go : In(1), begin an operation. `head`, `following`, `after` and `tailed` are constant.
    head, following, after : In(table_bits), addresses of the sequences.
    tailed : In(1), `after` is a tail.
    digits : In(1), only with the parameter: of each two words of a part, the second one has the
        high digits, whose events are SHIFTED.
    table_addr : Out(table_bits), table_en : Out(1), read.
    table_data : In(entry_bits + 1), the entry that was read last, and whether it is the last one.
    i : In(stream of `piece_layout`).
    room : In(1), a list may begin.
    begins : Out(1), a list begins in this cycle.
    w_en : Out(1), w_entry : Out(entry_bits), an entry of the list.
    close : Out(1), the list ends with the entry of this cycle, if there is one.
    """

    delay = 3

    def __init__(
        self, *, word_bits: int, table_bits: int, entry_bits: int, digits: bool, codes: bool
    ) -> None:
        self._word_bits = word_bits
        self._digits = digits
        self._codes = codes
        self._entry_bits = entry_bits
        super().__init__(
            {
                "go": In(1),
                **{name: In(table_bits) for name in ("head", "following", "after")},
                "tailed": In(1),
                **({"digits": In(1)} if digits else {}),
                "table_addr": Out(table_bits),
                "table_en": Out(1),
                "table_data": In(entry_bits + 1),
                "i": In(stream.Signature(piece_layout(word_bits, codes=codes))),
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

        # The current piece: its groups of four bits that are left, and the fixed entries before and
        # after them. In each cycle with `step`, one group or fixed entry goes on.
        have, prefix, tail, step = Signal(), Signal(), Signal(), Signal(init=1)
        bits, groups = Signal(PIECE_BITS, reset_less=True), Signal(PIECE_BITS // GROUP)
        several = Signal(PIECE_BITS // GROUP, reset_less=True)  # groups of more than one bit
        word, last = Signal(self._word_bits, reset_less=True), Signal(reset_less=True)
        down = Signal(PIECE_BITS if self._codes else 0, reset_less=True)
        none, alone = Signal(init=1), Signal(init=1)  # no group, or at most one
        literal, literal_last = self.table_data[:-1], self.table_data[-1]
        fixed, over, take = Signal(), Signal(), Signal()
        moves = Signal()  # the first stage, which has nothing or goes on
        m.d.comb += [
            fixed.eq(have & (prefix | (none & tail))),
            over.eq(~prefix & ~tail & alone),
            moves.eq(step | ~have),
            take.eq(moves & (~have | over) & (~piece.first | self.room)),
            self.i.ready.eq(take),
            self.begins.eq(take & self.i.valid & piece.first),
        ]
        with m.If(take):
            parts = pieces(piece.bits, GROUP)
            some = Cat(part.any() for part in parts)
            m.d.sync += [
                have.eq(self.i.valid),
                prefix.eq(piece.begins),
                tail.eq(piece.last & self.tailed),
                bits.eq(piece.bits),
                *([down.eq(piece.down)] if self._codes else ()),
                several.eq(Cat(~at_most_one(part) for part in parts)),
                groups.eq(some & self.i.valid.replicate(len(some))),
                none.eq(~some.any() | ~self.i.valid),
                alone.eq(at_most_one(some)),
                word.eq(piece.word),
                last.eq(piece.last),
            ]
        with m.Elif(moves):
            with m.If(over):
                m.d.sync += have.eq(0)
            with m.If(prefix):
                m.d.sync += prefix.eq(~literal_last)
            with m.Elif(none):
                m.d.sync += tail.eq(tail & ~literal_last)
            with m.Else():
                others = groups & any_lower(groups)
                m.d.sync += [
                    groups.eq(others),
                    none.eq(alone),
                    alone.eq(at_most_one(others)),
                ]

        self._read_table(m, take, step & fixed, literal_last, prefix)

        group = groups & ~any_lower(groups) & (~prefix).replicate(len(groups))
        self._write_entries(
            m,
            step=step,
            bits=bits,
            down=down,
            several=several,
            group=group,
            word=word,
            fixed=fixed,
            literal=literal,
            close=have & over & last,
        )

        return m

    def _write_entries(self, m, *, step, bits, down, several, group, word, fixed, literal, close):
        """One entry after the other of the group whose bit is set in `group`, or the fixed entry.
        `step` is high in the cycle of the last one."""
        left = Signal(GROUP)
        chosen = [bits[n::GROUP] & group for n in range(GROUP)]
        pipeline = Pipeline(m, step)
        place = pipeline.register(Cat(encode(group), word), "place")
        fixed, literal = (
            pipeline.register(fixed, "fixed_entry", reset_less=False),
            pipeline.register(literal, "literal"),
        )
        close = pipeline.register(close, "closes", reset_less=False)
        others = left & any_lower(left)
        with m.If(step):
            m.d.sync += [
                left.eq(Cat(one.any() for one in chosen)),
                step.eq(~(several & group).any()),
            ]
        with m.Else():
            m.d.sync += [left.eq(others), step.eq(at_most_one(others))]

        event, kind = Signal(self._entry_bits), Const(Kind.EVENT, 3)
        if self._digits:
            high = self.digits & place[-self._word_bits]
            kind = Mux(high, Const(Kind.SHIFTED, 3), kind)
        lowest = encode(left & ~any_lower(left))
        if self._codes:
            signs = pipeline.register(
                Cat((down[n::GROUP] & group).any() for n in range(GROUP)), "signs"
            )
            minus = (signs & left & ~any_lower(left)).any()
            kind = Mux(minus, Const(Kind.MINUS, 3), kind)
        m.d.comb += event.eq(Cat(kind, lowest, place))
        m.d.sync += [
            self.w_en.eq(fixed | left.any()),
            self.w_entry.eq(Mux(fixed, literal, event)),
            self.close.eq(close & step),
        ]

    def _read_table(self, m, take, used, ends, prefix):
        """Read the next fixed entry when the current one is `used`."""
        piece = self.i.payload
        following = Signal.like(self.table_addr, reset_less=True)
        after = Signal.like(self.table_addr, reset_less=True)
        with m.If(take):
            m.d.sync += after.eq(Mux(piece.last_row, self.after, self.following))
        m.d.comb += [self.table_addr.eq(following), self.table_en.eq(used | self.go)]
        with m.If(ends):
            # The tail is followed by the head of the next token.
            m.d.comb += self.table_addr.eq(Mux(prefix, after, self.head))
        with m.If(self.go):
            m.d.comb += self.table_addr.eq(self.head)
        with m.If(self.table_en):
            m.d.sync += following.eq(self.table_addr + 1)
