"""Sends frames over the line."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .byte_crc import ByteCrc
from .frames import ESCAPE, FLAG, FLIP
from .protocol import CRC_BYTES


class FrameSender(Component):
    """Appends a CRC-32 to each content, escapes both and encloses them in flags.

    Members
    -------
    i : In(stream of {data: 8 bits, last}), the content, at least one byte.
    o : Out(stream of 8 bits), bytes for the line, which must accept them at least ten cycles apart.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"data": 8, "last": 1}))),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        byte = Signal(8)  # the current byte
        special, sent = Signal(), Signal()  # it needs an escape; a byte is transferred
        m.d.comb += sent.eq(self.o.valid & self.o.ready)

        m.submodules.crc = crc = ByteCrc()
        m.d.comb += [
            crc.data.eq(self.i.payload.data),
            crc.valid.eq(self.i.valid & self.i.ready),
        ]

        place = Signal(range(CRC_BYTES + 1))  # index of the next byte of the CRC
        content_over = Signal()
        with m.FSM():
            with m.State("idle"):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += place.eq(0)
                with m.If(self.i.valid):
                    m.next = "opening flag"
            with m.State("opening flag"):
                m.d.comb += [self.o.payload.eq(FLAG), self.o.valid.eq(1)]
                with m.If(sent):
                    m.next = "content"
            with m.State("content"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [byte.eq(self.i.payload.data), content_over.eq(self.i.payload.last)]
                with m.If(self.i.valid):
                    m.next = "look"
            with m.State("CRC"):
                m.d.sync += [byte.eq(crc.crc.word_select(place[:2], 8)), place.eq(place + 1)]
                m.next = "look"
            with m.State("look"):
                m.d.sync += special.eq((byte == FLAG) | (byte == ESCAPE))
                m.next = "send"
            with m.State("send"):
                m.d.comb += [self.o.payload.eq(Mux(special, ESCAPE, byte)), self.o.valid.eq(1)]
                with m.If(sent & special):
                    m.d.sync += [special.eq(0), byte.eq(byte ^ FLIP)]
                with m.Elif(sent):
                    m.next = "content"
                    with m.If(content_over):
                        m.next = "CRC"
                    with m.If(place == CRC_BYTES):
                        m.next = "closing flag"
            with m.State("closing flag"):
                m.d.comb += [self.o.payload.eq(FLAG), self.o.valid.eq(1)]
                with m.If(sent):
                    m.next = "idle"

        return m
