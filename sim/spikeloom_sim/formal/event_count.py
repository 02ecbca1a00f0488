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
    """total = min(2^bits - 1, total + events of the cycle before), from any value on.

    Use mode "prove" (unbounded): induction takes every value as the one before.

    Parameters
    ----------
    lanes, bits : of the `EventCount`.
    """

    def __init__(self, lanes: int, bits: int) -> None:
        self._lanes = lanes
        self._bits = bits
        super().__init__(EventCount(lanes, bits))

    def check(self, m: Module) -> None:
        dut, most = self.dut, 2**self._bits - 1
        events = Signal(range(self._lanes + 1))
        total = Signal(self._bits)  # of the cycle before
        counted = Signal(range(most + self._lanes + 1))
        expected = Signal(self._bits)
        m.d.sync += events.eq(sum(dut.events[n] for n in range(self._lanes)))
        m.d.comb += counted.eq(total + events)
        m.d.comb += expected.eq(Mux(counted > most, most, counted))
        m.d.sync += total.eq(expected)
        seen = self.inside("seen")
        m.d.comb += [
            prove(total == dut.total),
            prove(sum(seen[n] for n in range(self._lanes)) == events),
        ]
