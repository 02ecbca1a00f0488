"""Where the spikes of an operation go, or where V is read."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component


class Place(Component):
    """Addresses of the outputs of an operation, in the order in which they are computed.

    ``for token: for group: for row: base + (token * o_rows + row) * o_row + word of the group``

    Parameters
    ----------
    addr_bits : bits of an address. fields : bits of o_base, o_group, o_row, o_rows, groups.
    groups_per_word : groups in a word, a power of two: of lanes, or of the lanes of a head.

    Members
    -------
    go : In(1), begin an operation. The fields are constant until its last output.
    o_base, o_group, o_row, o_rows, groups : In, see `Operation`; o_rows and groups less 1.
    whole : In(1), a word holds one group rather than `groups_per_word`.
    next : In(1), go on to the next output.
    addr : Out(addr_bits), slot : Out(range(groups_per_word)), the current one.
    """

    def __init__(self, *, addr_bits: int, fields: dict[str, int], groups_per_word: int) -> None:
        self._groups_per_word = groups_per_word
        super().__init__(
            {
                "go": In(1),
                **{name: In(bits) for name, bits in fields.items()},
                "whole": In(1),
                "next": In(1),
                "addr": Out(addr_bits),
                "slot": Out(range(groups_per_word)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # The addresses of the token, and of the step relative to it.
        token = Signal.like(self.addr, reset_less=True)
        row = Signal.like(self.addr, reset_less=True)
        next_row = row + self.o_row
        group = Signal(max(len(self.o_group), len(self.groups)) + 1, reset_less=True)
        groups_left = Signal.like(self.groups, reset_less=True)
        step = Signal.like(self.o_rows, reset_less=True)
        slot_bits = (self._groups_per_word - 1).bit_length()
        m.d.comb += [
            self.addr.eq(token + row + Mux(self.whole, group, group[slot_bits:])),
            self.slot.eq(group[:slot_bits]),
        ]

        with m.If(self.next):
            m.d.sync += [step.eq(step + 1), row.eq(next_row)]
            with m.If(step == self.o_rows):
                m.d.sync += [step.eq(0), row.eq(0), group.eq(group + 1)]
                m.d.sync += groups_left.eq(groups_left - 1)
                with m.If(groups_left == 0):
                    m.d.sync += [
                        group.eq(self.o_group),
                        groups_left.eq(self.groups),
                        token.eq(token + next_row),
                    ]
        with m.If(self.go):
            m.d.sync += [
                token.eq(self.o_base),
                row.eq(0),
                step.eq(0),
                group.eq(self.o_group),
                groups_left.eq(self.groups),
            ]

        return m
