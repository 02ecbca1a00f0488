"""A register stage for `ready`, so that a pipeline may stop one cycle late."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from .component import Component


class SkidBuffer(Component):
    """A stream whose `ready` is a register; a beat that arrives in the cycle of a stall is
    buffered.

    A pipeline may use ``i.ready`` as the clock enable of all its registers. No latency.

    Parameters
    ----------
    width : bits of the payload.

    Members
    -------
    i : In(stream of `width` bits).
    o : Out(stream of `width` bits).
    ready_next : Out(1), `i.ready` of the next cycle, for pipelines that look a cycle ahead.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        super().__init__(
            {
                "i": In(stream.Signature(width)),
                "o": Out(stream.Signature(width)),
                "ready_next": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        aside = Signal(self._width, reset_less=True)
        ready = Signal(init=1)
        m.d.comb += [
            self.i.ready.eq(ready),
            self.o.valid.eq(~ready | self.i.valid),
            self.o.payload.eq(Mux(ready, self.i.payload, aside)),
        ]
        m.d.comb += self.ready_next.eq(~self.o.valid | self.o.ready)
        m.d.sync += ready.eq(self.ready_next)
        with m.If(ready):
            m.d.sync += aside.eq(self.i.payload)

        return m
