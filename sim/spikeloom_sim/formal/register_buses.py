"""The bus interfaces of register shells: one answer for each request, one write for each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Cat, Mux, Signal
from amaranth.lib.wiring import Out

from spikeloom.shell.axi_lite import OKAY, SLVERR, AxiLite
from spikeloom.shell.wishbone import Wishbone

from .harness import Harness, moved, steady
from .properties import assume, cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module


class AxiLiteContract(Harness):
    """Each write has one effect and one response, each read one response; an offer is stable.

    The response of a write follows the effect, whose data are those of the request. Use mode
    "prove"; "cover" reaches the response to a write and to a read.

    Parameters
    ----------
    component : with the members of `AxiLite`.
    """

    def __init__(self, component: Any = None) -> None:
        super().__init__(component or AxiLite())

    def check(self, m: Module) -> None:
        dut = self.dut
        bus = dut.bus
        for name, port in self.streams(Out).items():
            m.d.comb += prove(steady(m, port, name))

        # What was taken, and not yet used or answered.
        addresses, words, effects, reads = (Signal(2, name=n) for n in ("aw", "w", "b", "r"))
        m.d.sync += [
            addresses.eq(addresses + moved(dut.aw) - bus.w_en),
            words.eq(words + moved(dut.w) - bus.w_en),
            effects.eq(effects + bus.w_en - moved(dut.b)),
            reads.eq(reads + moved(dut.ar) - moved(dut.r)),
        ]
        m.d.comb += [
            prove(addresses == ~dut.aw.ready),
            prove(words == ~dut.w.ready),
            prove(effects == dut.b.valid),
            prove(reads == dut.r.valid),
            prove(~bus.w_en | ((addresses == 1) & (words == 1) & (effects == 0))),
        ]

        # Their contents.
        address, word = Signal.like(dut.aw.payload), Signal(len(Cat(bus.w_data, bus.w_mask)))
        okay, answer = Signal(2), Signal.like(Cat(dut.r.payload.as_value()))
        with m.If(moved(dut.aw)):
            m.d.sync += address.eq(dut.aw.payload)
        with m.If(moved(dut.w)):
            m.d.sync += word.eq(dut.w.payload.as_value())
        with m.If(bus.w_en):
            m.d.sync += okay.eq(Mux(bus.w_error, SLVERR, OKAY))
        with m.If(moved(dut.ar)):
            m.d.sync += answer.eq(Cat(bus.r_data, Mux(bus.r_error, SLVERR, OKAY)))
        m.d.comb += [
            prove((addresses == 0) | (bus.w_addr == address[2:])),
            prove((words == 0) | (Cat(bus.w_data, bus.w_mask) == word)),
            prove(~dut.b.valid | (dut.b.payload == okay)),
            prove(~dut.r.valid | (dut.r.payload.as_value() == answer)),
            prove(~moved(dut.ar) | (bus.r_addr == dut.ar.payload[2:])),
            cover(moved(dut.b) & moved(dut.r)),
        ]


class WishboneContract(Harness):
    """Each request has one answer, in its second cycle, and each write one effect, in its first.

    The peer holds a request until its answer, as the bus demands. Use mode "prove"; "cover" reaches
    the second answer.

    Parameters
    ----------
    component : with the members of `Wishbone`.
    """

    def __init__(self, component: Any = None) -> None:
        super().__init__(component or Wishbone())

    def check(self, m: Module) -> None:
        dut = self.dut
        bus = dut.bus
        request, answer = Signal(), Signal()
        m.d.comb += [request.eq(dut.cyc & dut.stb), answer.eq(dut.ack | dut.err)]

        waiting, before = Signal(), Signal(len(self._asked()))
        m.d.sync += [waiting.eq(request & ~answer), before.eq(self._asked())]
        m.d.comb += assume(~waiting | (request & (self._asked() == before)))

        wrong, data = Signal(), Signal.like(bus.r_data)
        with m.If(request & ~waiting):
            m.d.sync += [wrong.eq(Mux(dut.we, bus.w_error, bus.r_error)), data.eq(bus.r_data)]
        m.d.comb += [
            prove(~answer | request),
            prove(~(dut.ack & dut.err)),
            prove(answer == waiting),
            prove(bus.w_en == (request & ~waiting & dut.we)),
            prove(~bus.w_en | (Cat(bus.w_addr, bus.w_data, bus.w_mask) == self._written())),
            prove(~answer | (dut.err == wrong)),
            prove(~(answer & ~dut.we) | (dut.dat_r == data)),
            prove(bus.r_addr == dut.adr),
        ]
        answered = Signal()
        with m.If(answer):
            m.d.sync += answered.eq(1)
        m.d.comb += cover(answered & answer)

    def _asked(self):
        return Cat(self.dut.we, self._written())

    def _written(self):
        return Cat(self.dut.adr, self.dut.dat_w, self.dut.sel)
