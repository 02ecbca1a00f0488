"""Event lists: a ring that is filled list by list, and replayed for each group of outputs."""

from __future__ import annotations

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import BLOCK_RAM


def slot_layout(entry_bits: int, addr_bits: int) -> data.StructLayout:
    """One entry in a replay.

    Fields
    ------
    entry : kind and row. base : address of the group's weights.
    first : the first entry of a replay. final : the last entry of the operation.
    """
    return data.StructLayout({"entry": entry_bits, "base": addr_bits, "first": 1, "final": 1})


class Replay(Component):
    """Stores the event lists of tokens and replays each one `groups` times, without gaps.

    Between two lists is a gap of one cycle. A list that is closed in cycle t is replayed from cycle
    t + 2 at the earliest, and its first entry leaves `delay` cycles later.

    The lists follow each other in a ring of `depth` entries. A list may begin if fewer than `lists`
    are present, and if the longest one still fits. While others are open, room for the longest one
    is kept for each.

    Parameters
    ----------
    lists : that may be present, a power of two, at least 2. One is replayed, others are written or
        wait.
    depth : entries of the ring, a power of two.
    longest : entries of the longest list, at most `depth`.
    entry_bits, addr_bits : bits of an entry, and of the address of a weight word.
    group_bits, token_bits : bits of the numbers of groups and of tokens, less 1.

    Members
    -------
    go : In(1), begin an operation. The inputs below are constant until its last entry.
    groups, tokens : In, their numbers less 1.
    w_base, w_pitch : In(addr_bits), address of the weights, and words of a group.
    room : Out(1), a list may begin. begins : In(1), it begins.
    w_en : In(1), w_entry : In(entry_bits), close : In(1), see `Lister`.
    valid : Out(1), o : Out(`slot_layout`), an entry.
    """

    delay = 2

    def __init__(
        self,
        *,
        lists: int,
        depth: int,
        longest: int,
        entry_bits: int,
        addr_bits: int,
        group_bits: int,
        token_bits: int,
    ) -> None:
        self._lists = lists
        self._depth = depth
        self._longest = longest
        self._entry_bits = entry_bits
        super().__init__(
            {
                "go": In(1),
                "groups": In(group_bits),
                "tokens": In(token_bits),
                "w_base": In(addr_bits),
                "w_pitch": In(addr_bits),
                "room": Out(1),
                "begins": In(1),
                "w_en": In(1),
                "w_entry": In(entry_bits),
                "close": In(1),
                "valid": Out(1),
                "o": Out(slot_layout(entry_bits, addr_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.memory = memory = Memory(
            shape=self._entry_bits, depth=self._depth, init=[], attrs=BLOCK_RAM
        )
        write, read = memory.write_port(), memory.read_port()
        released = Signal()
        start = Signal(range(2 * self._depth))
        lengths, complete = self._write(m, write, start, released)

        # The current list: its place in the ring, the entries left less 2 (negative at the last
        # one), and the groups and tokens left.
        place = Signal.like(start)
        left = Signal.like(lengths[0], reset_less=True)
        groups_left = Signal.like(self.groups, reset_less=True)
        tokens_left = Signal.like(self.tokens, reset_less=True)
        which, active, first = Signal(range(self._lists)), Signal(), Signal()
        base, ended, final = Signal.like(self.w_base, reset_less=True), Signal(), Signal()
        length = Array(lengths)[which]
        m.d.comb += [
            read.addr.eq(place),
            ended.eq(active & left[-1]),
            released.eq(ended & (groups_left == 0)),
            final.eq(released & (tokens_left == 0)),
        ]
        with m.If(active):
            m.d.sync += [place.eq(place + 1), left.eq(left - 1), first.eq(0)]
        with m.If(ended):
            m.d.sync += [
                place.eq(start),
                left.eq(length),
                first.eq(1),
                base.eq(base + self.w_pitch),
                groups_left.eq(groups_left - 1),
            ]
        with m.If(released):
            m.d.sync += [
                active.eq(0),
                which.eq(which + 1),
                start.eq(place + 1),
                place.eq(place + 1),
                tokens_left.eq(tokens_left - 1),
            ]
        with m.If(~active):
            m.d.sync += [
                active.eq(complete),
                left.eq(length),
                first.eq(1),
                base.eq(self.w_base),
                groups_left.eq(self.groups),
            ]
        with m.If(self.go):
            m.d.sync += tokens_left.eq(self.tokens)
        self._send(m, read.data, active, base, first, final)

        return m

    def _write(self, m, write, start, released):
        """Fill the ring and count its lists. Returns the lengths, less 2, of all lists, and whether
        the next one is complete. `start` is the place of the one that is replayed."""
        place, count = Signal.like(start), Signal(range(self._longest + 1))
        written = Signal(range(self._lists))
        m.d.comb += [
            write.en.eq(self.w_en),
            write.addr.eq(place),
            write.data.eq(self.w_entry),
        ]
        m.d.sync += [place.eq(place + self.w_en), count.eq(count + self.w_en)]

        bits = range(-1, max(1, self._longest))
        lengths = [Signal(bits, name=f"length_{n}", reset_less=True) for n in range(self._lists)]
        end, complete = Signal.like(start), Signal(range(self._lists + 1))
        m.d.sync += complete.eq(complete + self.close - released)
        with m.If(self.close):
            m.d.sync += [
                count.eq(0),
                end.eq(place + self.w_en),
                written.eq(written + 1),
                Array(lengths)[written].eq(count + self.w_en - 2),
            ]
        self._find_room(m, (end - start)[: len(start)], released)
        return lengths, complete.any()

    def _find_room(self, m, used, released):
        """Whether a list may begin, when those that are complete take `used` entries."""
        begun, closed = Signal(), Signal()
        present, opened = Signal(range(self._lists + 1)), Signal(2)
        m.d.sync += [
            begun.eq(self.begins),
            closed.eq(self.close),
            present.eq(present + begun - released),
            opened.eq(opened + begun - closed),
        ]
        fits, fits_two = Signal(), Signal()
        m.d.sync += fits.eq(used <= self._depth - self._longest)
        if 2 * self._longest <= self._depth:
            m.d.sync += fits_two.eq(used <= self._depth - 2 * self._longest)
        enough = Mux(opened == 0, fits, (opened == 1) & fits_two)
        m.d.comb += self.room.eq(~begun & (present < self._lists) & enough)

    def _send(self, m, entry, active, base, first, final):
        """Two stages: the memory, and a register behind it."""
        slot = Signal.like(self.o, reset_less=True)
        read_valid = Signal()
        m.d.sync += [
            read_valid.eq(active),
            slot.base.eq(base),
            slot.first.eq(first),
            slot.final.eq(final),
            self.valid.eq(read_valid),
            self.o.eq(slot),
            self.o.entry.eq(entry),
        ]
