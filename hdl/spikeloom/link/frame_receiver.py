"""From bytes on the line to checked frames."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .byte_crc import ByteCrc
from .frames import ESCAPE, FLAG, FLIP


class FrameReceiver(Component):
    """Takes escapes and flags out of a byte stream and checks each frame's CRC-32.

    Content is passed on before it is known to be good: act on it at `good`.

    Members
    -------
    i : In(stream of 8 bits, always ready), bytes from the line.
    broken : In(1), a byte was lost: what came since the last flag is no good.
    o : Out(stream of 8 bits, always ready), the content, then the four bytes of the CRC, a cycle
        late.
    ended : Out(1), one cycle, at every flag: what comes next belongs to another frame.
    good : Out(1), with `ended`: the frame was whole.
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

        lost = Signal(init=1)  # nothing counts until the next flag
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
