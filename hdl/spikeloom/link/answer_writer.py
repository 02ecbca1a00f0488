"""Assembles an answer byte by byte."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component


class AnswerWriter(Component):
    """Sends sequence number, code and state, then the payload, whose bytes it requests one by one.

    The UART limits the rate: requests for payload bytes are at least the time of one byte apart.

    Members
    -------
    start : In(1), begin an answer; the other inputs must be stable until `idle` is high again.
    sequence, code, state : In(8), the first three bytes; `state` is sampled when it is sent.
    no_payload : In(1), the answer has no payload; `no_payload` and `final` may be valid a few
        cycles after `start`.
    final : In(range(longest)), index of the last payload byte.
    index : Out(range(longest)), index of the requested payload byte.
    data : In(8), the requested byte, valid a few cycles after `index`.
    step : Out(1), high for one cycle when the byte has been sent.
    idle : Out(1), no answer is in progress.
    o : Out(stream of {data: 8 bits, last}).

    Parameters
    ----------
    longest : bytes of the longest payload.
    """

    def __init__(self, longest: int) -> None:
        super().__init__(
            {
                "start": In(1),
                "sequence": In(8),
                "code": In(8),
                "state": In(8),
                "no_payload": In(1),
                "final": In(range(longest)),
                "index": Out(range(longest)),
                "data": In(8),
                "step": Out(1),
                "idle": Out(1),
                "o": Out(stream.Signature(data.StructLayout({"data": 8, "last": 1}))),
            }
        )

    def elaborate(self, platform):
        m = Module()

        taken, ending = Signal(), Signal()
        m.d.comb += taken.eq(self.o.valid & self.o.ready)
        m.d.sync += ending.eq(self.index == self.final)
        with m.FSM():
            with m.State("idle"):
                m.d.comb += self.idle.eq(1)
                m.d.sync += self.index.eq(0)
                with m.If(self.start):
                    m.next = "sequence"
            for field, then in (("sequence", "code"), ("code", "state")):
                with m.State(field):
                    m.d.comb += [
                        self.o.payload.data.eq(getattr(self, field)),
                        self.o.valid.eq(1),
                    ]
                    with m.If(taken):
                        m.next = then
            with m.State("state"):
                m.d.comb += [
                    self.o.payload.data.eq(self.state),
                    self.o.payload.last.eq(self.no_payload),
                    self.o.valid.eq(1),
                ]
                with m.If(taken):
                    m.next = "payload"
                    with m.If(self.no_payload):
                        m.next = "idle"
            with m.State("payload"):
                m.d.comb += [
                    self.o.payload.data.eq(self.data),
                    self.o.payload.last.eq(ending),
                    self.o.valid.eq(1),
                    self.step.eq(taken),
                ]
                with m.If(taken):
                    m.d.sync += self.index.eq(self.index + 1)
                    with m.If(self.o.payload.last):
                        m.next = "idle"

        return m
