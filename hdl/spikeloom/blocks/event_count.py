"""Counts rare events for a status flag."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .component import Component


class EventCount(Component):
    """Number of events since reset; it stays at ``2**32 - 1``.

    The number of events of a cycle is registered before it is added, to keep the path from the
    events short: `total` is `delay` cycles late.

    Parameters
    ----------
    lanes : events of a cycle, at most.

    Members
    -------
    events : In(lanes), events of this cycle.
    total : Out(32), events since reset.
    """

    delay = 2  # cycles from `events` to `total`

    def __init__(self, lanes: int) -> None:
        super().__init__({"events": In(lanes), "total": Out(32)})

    def elaborate(self, platform):
        m = Module()

        seen = Signal.like(self.events)
        more = Signal(33)
        m.d.comb += more.eq(self.total + sum(seen[n] for n in range(len(seen))))
        m.d.sync += [
            seen.eq(self.events),
            self.total.eq(Mux(more[32], 2**32 - 1, more)),
        ]

        return m
