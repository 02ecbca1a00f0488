"""Event lists: a ring that is filled list by list, and replayed for each group of outputs."""

from __future__ import annotations

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import BLOCK_RAM

LISTS = 2  # one is replayed while another one is written


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

    The lists follow each other in a ring of `depth` entries. A list may begin if at most one other
    is present, and if the longest one still fits.

    Parameters
    ----------
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
        depth: int,
        longest: int,
        entry_bits: int,
        addr_bits: int,
        group_bits: int,
        token_bits: int,
    ) -> None:
        self._depth = depth
        self._limit = depth - longest
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
        lengths, full = self._lists(m, write, released)

        # The current list: its place in the ring, the entries left less 2 (negative at the last
        # one), and the groups and tokens left.
        start, place = Signal(range(self._depth)), Signal(range(self._depth))
        left = Signal.like(lengths[0])
        groups_left, tokens_left = Signal.like(self.groups), Signal.like(self.tokens)
        which, active, first = Signal(range(LISTS)), Signal(), Signal()
        base, ended, final = Signal.like(self.w_base), Signal(), Signal()
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
                active.eq(Array(full)[which]),
                left.eq(length),
                first.eq(1),
                base.eq(self.w_base),
                groups_left.eq(self.groups),
            ]
        with m.If(self.go):
            m.d.sync += tokens_left.eq(self.tokens)
        self._send(m, read.data, active, base, first, final)

        return m

    def _lists(self, m, write, released):
        """Fill the ring and count its lists. Returns the lengths, less 2, of both lists, and
        whether each is complete."""
        place, count = Signal(range(self._depth)), Signal(range(self._longest + 1))
        written = Signal(range(LISTS))
        m.d.comb += [
            write.en.eq(self.w_en),
            write.addr.eq(place),
            write.data.eq(self.w_entry),
        ]
        m.d.sync += [place.eq(place + self.w_en), count.eq(count + self.w_en)]

        bits = range(-1, max(1, self._longest))
        lengths = [Signal(bits, name=f"length_{n}", reset_less=True) for n in range(LISTS)]
        full = [Signal(name=f"full_{n}") for n in range(LISTS)]
        released_list = Signal(range(LISTS))
        m.d.sync += released_list.eq(released_list + released)
        with m.If(released):
            m.d.sync += Array(full)[released_list].eq(0)
        with m.If(self.close):
            m.d.sync += [
                count.eq(0),
                written.eq(written + 1),
                Array(full)[written].eq(1),
                Array(lengths)[written].eq(count + self.w_en - 2),
            ]

        # Lists that are present, but for one that has just begun, and whether the longest one fits
        # behind the last of them.
        present, begun, fits = Signal(range(LISTS + 1)), Signal(), Signal()
        m.d.sync += [begun.eq(self.begins), present.eq(present + begun - released)]
        if 2 * self._longest <= self._depth:
            m.d.comb += fits.eq(1)
        else:
            with m.If(self.close):
                m.d.sync += fits.eq(count + self.w_en <= self._limit)
            with m.If(begun):
                m.d.sync += fits.eq(0)
        m.d.comb += self.room.eq(
            Mux(
                begun,
                (present == 0) & (2 * self._longest <= self._depth),
                (present == 0) | ((present == 1) & fits),
            )
        )
        return lengths, full

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
