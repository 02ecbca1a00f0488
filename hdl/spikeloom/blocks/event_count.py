"""Counts rare events for a status flag."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .component import Component


class EventCount(Component):
    """Number of events since reset; it stays at ``2**bits - 1``.

    The number of events of a cycle is registered before it is added, to keep the path from the
    events short: `total` is `delay` cycles late.

    Parameters
    ----------
    lanes : events of a cycle, at most.
    bits : of the number.

    Members
    -------
    events : In(lanes), events of this cycle.
    total : Out(bits), events since reset.
    """

    delay = 2  # cycles from `events` to `total`

    def __init__(self, lanes: int, bits: int) -> None:
        self._bits = bits
        super().__init__({"events": In(lanes), "total": Out(bits)})

    def elaborate(self, platform):
        m = Module()

        seen = Signal.like(self.events)
        more = Signal(max(self._bits, len(seen).bit_length()) + 1)
        m.d.comb += more.eq(self.total + sum(seen[n] for n in range(len(seen))))
        m.d.sync += [
            seen.eq(self.events),
            self.total.eq(Mux(more[self._bits :].any(), 2**self._bits - 1, more)),
        ]

        return m
