"""Splits the content of a frame into the fields of a request."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .protocol import CRC_BYTES, MAX_PAYLOAD

LONGEST = MAX_PAYLOAD + CRC_BYTES


class RequestReader(Component):
    """Stores sequence number, command and argument of a request; forwards its payload.

    Fields and payload may be used once `valid` is high. Fields and `length` are stable until the
    next frame.

    Members
    -------
    i : In(stream of 8 bits, always ready), content and CRC of frames.
    ended, good : In(1), as of `FrameReceiver`.
    sequence, command, argument : Out(8), the fields.
    step : Out(1), `data` is byte number `index` of the payload or of the CRC behind it.
    data : Out(8).
    index : Out(10); stops one above the longest payload and its CRC.
    admit : Out(1), high for one cycle between the fields and the payload.
    length : Out(9), payload bytes.
    valid : Out(1), high for one cycle: the request is complete; its payload may be oversized.
    oversized : Out(1), the payload is too long.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(8, always_ready=True)),
                "ended": In(1),
                "good": In(1),
                "sequence": Out(8),
                "command": Out(8),
                "argument": Out(8),
                "step": Out(1),
                "data": Out(8),
                "index": Out(range(LONGEST + 2)),
                "admit": Out(1),
                "length": Out(range(MAX_PAYLOAD + 1)),
                "valid": Out(1),
                "oversized": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.d.comb += self.data.eq(self.i.payload)
        short = Signal()
        m.d.sync += [
            Cat(self.length, short).eq(self.index - CRC_BYTES),
            self.oversized.eq(self.index > LONGEST),
        ]
        with m.FSM():
            for field, then in (
                ("sequence", "command"),
                ("command", "argument"),
                ("argument", "admit"),
            ):
                with m.State(field):
                    with m.If(self.i.valid):
                        m.d.sync += getattr(self, field).eq(self.i.payload)
                        m.next = then
                    with m.If(self.ended):
                        m.next = "sequence"
            with m.State("admit"):
                m.d.comb += self.admit.eq(1)
                m.d.sync += self.index.eq(0)
                m.next = "payload"
            with m.State("payload"):
                m.d.comb += [
                    self.step.eq(self.i.valid),
                    self.valid.eq(self.good & ~short),
                ]
                with m.If(self.i.valid & ~self.oversized):
                    m.d.sync += self.index.eq(self.index + 1)
                with m.If(self.ended):
                    m.next = "sequence"

        return m
