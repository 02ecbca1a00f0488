"""`EventCount`: every step of the counter, up to the greatest number, where it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Mux, Signal

from spikeloom.blocks.event_count import EventCount

from .harness import Harness
from .properties import prove

if TYPE_CHECKING:
    from amaranth.hdl import Module


class EventCountContract(Harness):
    """total = min(2^32 - 1, total + events of the cycle before), from any value on.

    Use mode "prove" (unbounded): induction takes every value as the one before.

    Parameters
    ----------
    lanes : of the `EventCount`.
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        super().__init__(EventCount(lanes))

    def check(self, m: Module) -> None:
        dut, most = self.dut, 2**32 - 1
        events = Signal(range(self._lanes + 1))
        total = Signal(33)  # of the cycle before
        counted = Signal(33)
        expected = Signal(33)
        m.d.sync += events.eq(sum(dut.events[n] for n in range(self._lanes)))
        m.d.comb += counted.eq(total + events)
        m.d.comb += expected.eq(Mux(counted > most, most, counted))
        m.d.sync += total.eq(expected)
        seen = self.inside("seen")
        m.d.comb += [
            prove(total == dut.total),
            prove(sum(seen[n] for n in range(self._lanes)) == events),
        ]
