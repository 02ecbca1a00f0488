"""`Lister` and `Replay` of the engine: no entry of a list is lost, changed or made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Mux, Signal

from spikeloom.networks.engine.lister import Lister
from spikeloom.networks.engine.operation import PIECE_BITS, Kind
from spikeloom.networks.engine.replay import Replay

from .harness import Harness, moved
from .properties import assume, cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module

ENTRY_BITS = 2  # of a replayed list
KIND_BITS, INDEX_BITS, WORD_BITS = 3, 4, 3  # of an event


class ReplayContract(Harness):
    """Each list leaves once for each group, with its entries in order; none is overwritten before.

    The solver chooses the lists, of 1 to `longest` entries, and one entry of one list that is
    followed from the writer to each replay. Protocol: a list begins only while there is `room`; the
    lists are filled one after the other, and at most two are begun and not closed. Use mode "bmc"
    from reset: the entries are in a memory, whose contents induction cannot constrain.

    Parameters
    ----------
    lists, depth, longest : of `Replay`. groups, tokens : their numbers.
    component : the class under proof.
    """

    def __init__(
        self,
        *,
        lists: int,
        depth: int,
        longest: int,
        groups: int,
        tokens: int,
        component: type[Replay] = Replay,
    ) -> None:
        self._lists, self._depth, self._longest = lists, depth, longest
        self._groups, self._tokens = groups, tokens
        super().__init__(
            component(
                lists=lists,
                depth=depth,
                longest=longest,
                entry_bits=ENTRY_BITS,
                addr_bits=4,
                group_bits=2,
                token_bits=3,
            ),
            which=3,
            place=2,
        )

    def check(self, m: Module) -> None:
        dut = self.dut
        begun, closed, filled = Signal(4), Signal(4), Signal(range(self._longest + 2))
        m.d.sync += [begun.eq(begun + dut.begins), closed.eq(closed + dut.close)]
        m.d.sync += filled.eq(Mux(dut.close, 0, filled + dut.w_en))
        past_reset = Signal()
        m.d.sync += past_reset.eq(1)
        m.d.comb += [
            assume(dut.go == ~past_reset),
            assume((dut.groups == self._groups - 1) & (dut.tokens == self._tokens - 1)),
            assume((dut.w_base == 1) & (dut.w_pitch == 3)),
            assume(~dut.begins | (dut.room & (begun < self._tokens) & past_reset)),
            assume((begun - closed <= 2) & (~(dut.w_en | dut.close) | (closed < begun))),
            assume(~dut.w_en | (filled < self._longest)),
            assume(~dut.close | dut.w_en | (filled > 0)),
        ]

        # The entry that is followed: number `place` of list `which`.
        which, place = self.which, self.place
        entry, length = Signal(ENTRY_BITS), Signal.like(filled)
        with m.If(dut.w_en & (closed == which) & (filled == place)):
            m.d.sync += entry.eq(dut.w_entry)
        with m.If(dut.close & (closed == which)):
            m.d.sync += length.eq(filled + dut.w_en)

        # What leaves: list, group, and entry in it.
        left, group, at = Signal(4), Signal(2), Signal.like(filled)
        number = Signal.like(at)
        m.d.comb += number.eq(Mux(dut.o.first, 0, at))
        new_list = dut.o.first & (group == self._groups)
        with m.If(dut.valid):
            m.d.sync += at.eq(number + 1)
            with m.If(dut.o.first):
                m.d.sync += [group.eq(Mux(new_list, 1, group + 1)), left.eq(left + new_list)]
        now_list = left + (dut.o.first & new_list)
        now_group = Mux(dut.o.first, Mux(new_list, 0, group), group - 1)
        followed = dut.valid & (now_list == which)
        whole = (at == length) | (left != which) | (group == 0)
        m.d.comb += [
            prove(~dut.valid | (now_list < closed)),
            prove(~dut.valid | (number < self._longest)),
            prove(~(followed & (number == place)) | (dut.o.entry == entry)),
            prove(~followed | (dut.o.base == (1 + 3 * now_group)[:4])),
            prove(~(dut.valid & dut.o.first) | whole),
            prove(
                ~(followed & dut.o.final)
                | (
                    (now_list == self._tokens - 1)
                    & (now_group == self._groups - 1)
                    & (number + 1 == length)
                )
            ),
            cover(dut.valid & dut.o.final),
        ]


class ListerContract(Harness):
    """A list has one event for each bit that is set in its pieces, in order, and one fixed entry
    for each sequence of the table; events name the place of their bit.

    Pieces are numbered by `word`, and the sequences of fixed entries have one entry each. Protocol:
    as `RowReader` sends them, the first piece of a token `begins` a row, and the piece after the
    last one of a token is the first of the next. Use mode "bmc".

    Parameters
    ----------
    component : the class under proof.
    """

    def __init__(self, component: type[Lister] = Lister) -> None:
        super().__init__(
            component(
                word_bits=WORD_BITS,
                table_bits=2,
                entry_bits=KIND_BITS + INDEX_BITS + WORD_BITS,
                digits=False,
                codes=False,
            ),
            followed=WORD_BITS,
            tailed=1,
            chosen=2,
        )

    def check(self, m: Module) -> None:
        dut, piece = self.dut, self.dut.i.payload
        taken = moved(dut.i)
        numbers, inside, past_reset = Signal(WORD_BITS), Signal(), Signal()
        m.d.sync += past_reset.eq(1)
        with m.If(taken):
            m.d.sync += [numbers.eq(numbers + 1), inside.eq(~piece.last)]
        m.d.comb += [
            assume(dut.go == ~past_reset),
            assume(~dut.i.valid | (past_reset & (piece.word == numbers))),
            assume(piece.first == ~inside),
            assume(~piece.first | piece.begins),
            assume(piece.last_row | ~piece.last),
            assume(numbers < 2**WORD_BITS - 1),
            assume(dut.table_data[-1] & (dut.table_data[:KIND_BITS] == Kind.ADD)),
            assume(dut.tailed == self.tailed),
        ]

        # Entries that are owed to the lists that have begun, and the bits of the followed piece.
        owed, bits = Signal(range(-64, 64)), Signal(PIECE_BITS)
        fixed = piece.begins + (piece.last & dut.tailed)
        amount = sum((bit for bit in piece.bits), start=Const(0, 1)) + fixed
        m.d.sync += owed.eq(owed + Mux(taken, amount, 0) - dut.w_en)
        with m.If(taken & (piece.word == self.followed)):
            m.d.sync += bits.eq(piece.bits)

        event = dut.w_en & (dut.w_entry[:KIND_BITS] == Kind.EVENT)
        index, word = dut.w_entry[KIND_BITS:][:INDEX_BITS], dut.w_entry[-WORD_BITS:]
        before, any_before = Signal(INDEX_BITS + WORD_BITS), Signal()
        with m.If(event):
            m.d.sync += [before.eq(Cat(index, word)), any_before.eq(1)]
        closed, ended = Signal(4), Signal(4)
        m.d.sync += [
            closed.eq(closed + dut.close),
            ended.eq(ended + (taken & piece.last)),
        ]
        m.d.comb += [
            prove(~event | (word != self.followed) | bits.bit_select(index, 1)),
            prove(~event | ~any_before | (Cat(index, word) > before)),
            prove(owed >= dut.w_en),
            prove(~dut.w_en | event | (dut.w_entry[:KIND_BITS] == Kind.ADD)),
            prove(closed <= ended),
            prove(~dut.close | (closed < ended)),
            cover(dut.close & (closed == 1)),
        ]
        # When the chosen list is closed, everything owed to it has left.
        of_list = Signal(range(-64, 64))
        m.d.sync += of_list.eq(
            of_list
            + Mux(taken & (ended == self.chosen), amount, 0)
            - (dut.w_en & (closed == self.chosen))
        )
        m.d.comb += prove(~dut.close | (closed != self.chosen) | (of_list == dut.w_en))
