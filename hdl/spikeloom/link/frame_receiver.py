"""Receives frames from the line and checks them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .byte_crc import ByteCrc
from .frames import ESCAPE, FLAG, FLIP


class FrameReceiver(Component):
    """Removes escapes and flags from a byte stream and checks the CRC-32 of each frame.

    Content is forwarded before its CRC is checked; use it only after `good`.

    Members
    -------
    i : In(stream of 8 bits, always ready), bytes from the line.
    framing_error : In(1), a byte was lost; the current frame is invalid.
    o : Out(stream of 8 bits, always ready), the content, then the four bytes of the CRC, with a
        latency of one cycle.
    ended : Out(1), high for one cycle after every flag: the frame has ended.
    good : Out(1), with `ended`: the frame is complete and its CRC matches.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(8, always_ready=True)),
                "framing_error": In(1),
                "o": Out(stream.Signature(8, always_ready=True)),
                "ended": Out(1),
                "good": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        lost = Signal(init=1)  # ignore bytes until the next flag
        escaped = Signal()
        flag, escape = Signal(), Signal()
        m.d.comb += [
            flag.eq(self.i.valid & (self.i.payload == FLAG)),
            escape.eq(self.i.valid & (self.i.payload == ESCAPE)),
        ]
        whole = Signal()
        m.d.sync += [
            self.o.payload.eq(self.i.payload ^ Mux(escaped, FLIP, 0)),
            self.o.valid.eq(self.i.valid & ~flag & ~escape & ~lost),
            self.ended.eq(flag),
            whole.eq(~lost & ~escaped),
        ]
        with m.If(self.i.valid):
            m.d.sync += escaped.eq(escape)
        with m.If(flag):
            m.d.sync += lost.eq(0)
        with m.Elif(self.framing_error | (escape & escaped)):
            m.d.sync += lost.eq(1)

        m.submodules.crc = crc = ByteCrc()
        m.d.comb += [
            crc.clear.eq(self.ended),
            crc.data.eq(self.o.payload),
            crc.valid.eq(self.o.valid),
            self.good.eq(self.ended & crc.match & whole),
        ]

        return m
