"""Order `kv`: ``Q (K^T V)``, the D x Dv state first. Time is linear in N, memory independent of
N."""

from amaranth.hdl import Module
from amaranth.lib.wiring import connect, flipped

from ...blocks.skid_buffer import SkidBuffer
from .order import Order
from .state_events import StateEvents, state_event
from .state_sums import StateSums


class StateFirst(Order):
    """Attention computed from the state ``M = K^T V``; see `Order` for the members."""

    def elaborate(self, platform):
        m = Module()

        m.submodules.events = events = StateEvents(self._config)
        m.submodules.sums = sums = StateSums(self._config)
        # The path of a stall back to the operands is too long for one cycle, so it is registered.
        m.submodules.late = late = SkidBuffer(state_event(self._config).size)
        for name in "qkv":
            connect(m, flipped(getattr(self, name)), getattr(events, name))
        connect(m, events.o, late.i)
        m.d.comb += events.ready_next.eq(late.ready_next)
        connect(m, late.o, sums.i)
        connect(m, sums.o, flipped(self.o))
        m.d.comb += [
            events.run.eq(self.run),
            self.ended.eq(events.ended),
            self.saturated.eq(sums.saturated),
        ]

        return m
