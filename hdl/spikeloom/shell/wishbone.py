"""Wishbone in front of a register file."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .register_bus import BYTES, WORD_ADDRESS_BITS, RegisterBus
from .registers import WORD


class Wishbone(Component):
    """Answers the classic cycles of Wishbone B4, each in the cycle after the request.

    An access that `RegisterBus` calls an error is answered with `err` instead of `ack`, and reads
    as 0. A request that is withdrawn is not answered, but it may have been executed.

    Members
    -------
    cyc, stb, we : In(1). adr : In(10), address of a word. dat_w : In(32). sel : In(4).
    dat_r : Out(32), with `ack`. ack, err : Out(1), high for one cycle for each request.
    bus : Out(RegisterBus()).
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "cyc": In(1),
                "stb": In(1),
                "we": In(1),
                "adr": In(WORD_ADDRESS_BITS),
                "dat_w": In(WORD),
                "sel": In(BYTES),
                "dat_r": Out(WORD),
                "ack": Out(1),
                "err": Out(1),
                "bus": Out(RegisterBus()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bus = self.bus

        request = Signal()
        answered = Signal()
        wrong = Signal()
        m.d.comb += [
            request.eq(self.cyc & self.stb & ~answered),
            bus.w_en.eq(request & self.we),
            bus.w_addr.eq(self.adr),
            bus.w_data.eq(self.dat_w),
            bus.w_mask.eq(self.sel),
            bus.r_addr.eq(self.adr),
            self.ack.eq(answered & self.cyc & self.stb & ~wrong),
            self.err.eq(answered & self.cyc & self.stb & wrong),
        ]
        m.d.sync += answered.eq(request)
        with m.If(request & self.we):
            m.d.sync += wrong.eq(bus.w_error)
        with m.Elif(request):
            m.d.sync += [wrong.eq(bus.r_error), self.dat_r.eq(bus.r_data)]

        return m
