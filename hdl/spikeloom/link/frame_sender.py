"""From content to bytes on the line."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .byte_crc import ByteCrc
from .frames import ESCAPE, FLAG, FLIP


class FrameSender(wiring.Component):
    """Puts each content between flags, with its CRC-32 behind it and escapes where needed.

    Members
    -------
    i : In(stream of {data: 8 bits, last}), the content, at least one byte.
    o : Out(stream of 8 bits), bytes for the line.
    """

    i: In(stream.Signature(data.StructLayout({"data": 8, "last": 1})))
    o: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()

        # The byte to send, and whether its escape is out already.
        byte = Signal(8)
        escaped = Signal()
        special, sent = Signal(), Signal()
        m.d.comb += [
            special.eq(((byte == FLAG) | (byte == ESCAPE)) & ~escaped),
            self.o.payload.eq(Mux(special, ESCAPE, byte ^ Mux(escaped, FLIP, 0))),
            sent.eq(self.o.valid & self.o.ready & ~special),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += escaped.eq(special)

        opening = Signal()
        m.submodules.crc = crc = ByteCrc()
        m.d.comb += [
            crc.clear.eq(opening),
            crc.data.eq(self.i.payload.data),
            crc.valid.eq(self.i.valid & self.i.ready),
        ]

        place = Signal(2)
        with m.FSM():
            with m.State("opening flag"):
                m.d.comb += [
                    opening.eq(1),
                    self.o.payload.eq(FLAG),
                    self.o.valid.eq(self.i.valid),
                ]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += escaped.eq(0)
                    m.next = "content"
            with m.State("content"):
                m.d.comb += [
                    byte.eq(self.i.payload.data),
                    self.o.valid.eq(self.i.valid),
                    self.i.ready.eq(sent),
                ]
                with m.If(sent & self.i.payload.last):
                    m.next = "CRC"
            with m.State("CRC"):
                m.d.comb += [byte.eq(crc.crc.word_select(place, 8)), self.o.valid.eq(~crc.busy)]
                with m.If(sent):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == 3):
                        m.next = "closing flag"
            with m.State("closing flag"):
                m.d.comb += [self.o.payload.eq(FLAG), self.o.valid.eq(1)]
                with m.If(self.o.ready):
                    m.d.sync += escaped.eq(0)
                    m.next = "opening flag"

        return m
