"""Order `kv`: ``Q (K^T V)``, the D x Dv state first. Linear in N, in memory that N leaves alone."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .operands import beat, beat_data, output_data
from .state_events import StateEvents
from .state_sums import StateSums


class StateFirst(wiring.Component):
    """Attention by way of the state ``M = K^T V``.

    Members
    -------
    run : In(1), may go on; ended : Out(1), the last token of a sequence has been taken.
    q, k, v : In(stream of {data, last}).
    o : Out(stream of {data, last}).
    saturated : Out(1), see `StateSums`.
    """

    def __init__(self, config):
        self._config = config
        super().__init__(
            {
                "run": In(1),
                "ended": Out(1),
                **{name: In(stream.Signature(beat(beat_data(config, name)))) for name in "qkv"},
                "o": Out(stream.Signature(beat(output_data(config)))),
                "saturated": Out(1),
            }
        )

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
