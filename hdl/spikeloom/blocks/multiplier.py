"""Multipliers with the registers that a DSP block has."""

from __future__ import annotations

from amaranth.hdl import ClockSignal, Module, Shape, Signal, signed
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


class MultiplierPair(Component):
    """Two products of signed 8-bit integers, with the registers of a `Multiplier`.

    One DSP block, where a block of the family has two products (`Family.multiplier_pair`);
    elsewhere two multipliers.

    Members
    -------
    a, b : In(16), the operands of both products.
    o : Out(32), both products.
    """

    delay = Multiplier.delay

    def __init__(self) -> None:
        super().__init__({"a": In(16), "b": In(16), "o": Out(32)})

    def elaborate(self, platform):
        from ..families import device_of, family_of

        m = Module()

        family = family_of(platform)
        products = Signal.like(self.o)
        instance = family and family.multiplier_pair(
            device_of(platform), ClockSignal(), self.a, self.b, products
        )
        if instance is not None:
            m.submodules.dsp = instance
        else:
            for n, half in enumerate((slice(0, 8), slice(8, 16))):
                m.submodules[f"multiplier_{n}"] = one = Multiplier(signed(8), signed(8))
                m.d.comb += [
                    one.a.eq(self.a[half]),
                    one.b.eq(self.b[half]),
                    products.word_select(n, 16).eq(one.o),
                ]
        m.d.comb += self.o.eq(products)

        return m
