"""A multiplier with the registers that a DSP block has."""

from __future__ import annotations

from amaranth.hdl import ClockSignal, Module, Shape, Signal
from amaranth.lib.wiring import In, Out

from .component import Component


class Multiplier(Component):
    """``o = a * b``, between registers for the operands and one for the product.

    One product per cycle, `delay` cycles of latency. A DSP block of the FPGA with all three
    registers inside, where its family has an instance of one (`Family.multiplier`); elsewhere
    synthesis infers a block, or makes it of LUTs.

    Parameters
    ----------
    a, b : shapes of the operands.

    Members
    -------
    a, b : In(a), In(b).
    o : Out(as wide as `a` and `b` together, signed if one of them is).
    """

    delay = 2

    def __init__(self, a: Shape, b: Shape) -> None:
        shape = Shape(a.width + b.width, a.signed or b.signed)
        super().__init__({"a": In(a), "b": In(b), "o": Out(shape)})

    def elaborate(self, platform):
        from ..families import device_of, family_of

        m = Module()

        family = family_of(platform)
        product = Signal.like(self.o, reset_less=True)
        instance = family and family.multiplier(
            device_of(platform), ClockSignal(), self.a, self.b, product
        )
        if instance is not None:
            m.submodules.dsp = instance
        else:
            a = Signal.like(self.a, name="a_held", reset_less=True)
            b = Signal.like(self.b, name="b_held", reset_less=True)
            m.d.sync += [a.eq(self.a), b.eq(self.b), product.eq(a * b)]
        m.d.comb += self.o.eq(product)

        return m
