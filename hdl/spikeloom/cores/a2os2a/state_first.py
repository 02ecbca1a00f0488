"""Order `kv`: ``Q (K^T V)``, the D x Dv state first. Linear in N, in memory that N leaves alone."""

from amaranth.hdl import Module
from amaranth.lib.wiring import connect, flipped

from .order import Order
from .state_events import StateEvents
from .state_sums import StateSums


class StateFirst(Order):
    """Attention by way of the state ``M = K^T V``; see `Order` for the members."""

    def elaborate(self, platform):
        m = Module()

        m.submodules.events = events = StateEvents(self._config)
        m.submodules.sums = sums = StateSums(self._config)
        for name in "qkv":
            connect(m, flipped(getattr(self, name)), getattr(events, name))
        connect(m, sums.o, flipped(self.o))
        m.d.comb += [
            events.enable.eq(sums.enable),
            sums.i_valid.eq(events.o_valid),
            sums.i.eq(events.o),
            events.run.eq(self.run),
            self.ended.eq(events.ended),
            self.saturated.eq(sums.saturated),
        ]

        return m
