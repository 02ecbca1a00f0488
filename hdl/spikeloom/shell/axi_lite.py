"""AXI4-Lite in front of a register file."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .register_bus import BYTES, RegisterBus
from .registers import ADDRESS_BITS, WORD

OKAY, SLVERR = 0, 2


class AxiLite(Component):
    """Answers AXI4-Lite requests, one write and one read at a time.

    Address and data of a write may arrive in any order. A write is answered two cycles after both
    have arrived, a read one cycle after its address. The low two bits of an address are ignored. An
    access that `RegisterBus` calls an error is answered with SLVERR, and reads as 0.

    No ``ready`` depends on a ``valid``, and no output on an input of the same cycle.

    Members
    -------
    aw, w, b, ar, r : the channels as streams: addresses of 12 bits, {data, strb}, a response, and
        {data, resp}.
    bus : Out(RegisterBus()).
    """

    def __init__(self) -> None:
        address = stream.Signature(ADDRESS_BITS)
        super().__init__(
            {
                "aw": In(address),
                "w": In(stream.Signature(data.StructLayout({"data": WORD, "strb": BYTES}))),
                "b": Out(stream.Signature(2)),
                "ar": In(address),
                "r": Out(stream.Signature(data.StructLayout({"data": WORD, "resp": 2}))),
                "bus": Out(RegisterBus()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        aw, w, b, ar, r, bus = self.aw, self.w, self.b, self.ar, self.r, self.bus

        addressed = Signal()
        given = Signal()
        m.d.comb += [
            aw.ready.eq(~addressed),
            w.ready.eq(~given),
            bus.w_en.eq(addressed & given & ~b.valid),
        ]
        with m.If(aw.valid & aw.ready):
            m.d.sync += [addressed.eq(1), bus.w_addr.eq(aw.payload[2:])]
        with m.If(w.valid & w.ready):
            m.d.sync += [given.eq(1), bus.w_data.eq(w.payload.data), bus.w_mask.eq(w.payload.strb)]
        with m.If(b.ready):
            m.d.sync += b.valid.eq(0)
        with m.If(bus.w_en):
            m.d.sync += [
                addressed.eq(0),
                given.eq(0),
                b.valid.eq(1),
                b.payload.eq(Mux(bus.w_error, SLVERR, OKAY)),
            ]

        m.d.comb += [ar.ready.eq(~r.valid), bus.r_addr.eq(ar.payload[2:])]
        with m.If(r.ready):
            m.d.sync += r.valid.eq(0)
        with m.If(ar.valid & ar.ready):
            m.d.sync += [
                r.valid.eq(1),
                r.payload.data.eq(bus.r_data),
                r.payload.resp.eq(Mux(bus.r_error, SLVERR, OKAY)),
            ]

        return m
