"""8-bit integers from sums: a scale, a rounding and a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from ...blocks.adder_tree import adder_tree_delay
from ...blocks.component import Component

if TYPE_CHECKING:
    from .core import Int8Linear


def requantiser_delay(scale_bits: int) -> int:
    """Cycles from `sum` to `o` of a `Requantiser`."""
    return adder_tree_delay(scale_bits) + 3


class Requantiser(Component):
    """``o = limit(round((sum + bias) scale / 2^shift))``, halves upwards.

    One number per cycle. The multiplication is a tree of adders, one level a cycle, so that all DSP
    blocks are left for the sums.

    Members
    -------
    sum, bias : In(signed sum_bits). scale : In(scale_bits).
    o : Out(signed(8)).
    """

    def __init__(self, config: Int8Linear) -> None:
        self._config = config
        self.delay = requantiser_delay(config.scale_bits)
        super().__init__(
            {
                "sum": In(signed(config.sum_bits)),
                "bias": In(signed(config.sum_bits)),
                "scale": In(config.scale_bits),
                "o": Out(signed(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        total = Signal(signed(config.sum_bits + 1), reset_less=True)
        scale = Signal.like(self.scale, name="scale_held", reset_less=True)
        m.d.sync += [total.eq(self.sum + self.bias), scale.eq(self.scale)]

        # The sum times each bit of the scale; pairs of products, the upper one shifted.
        products = [Mux(bit, total, 0) for bit in scale]
        level, places = 0, 1
        while len(products) > 1:
            pairs = []
            for n in range(0, len(products), 2):
                low, *high = products[n : n + 2]
                value = Cat(low[:places], (low >> places) + high[0]) if high else low
                pair = Signal(signed(len(value)), name=f"product_{level}_{n // 2}", reset_less=True)
                m.d.sync += pair.eq(value)
                pairs.append(pair)
            products, level, places = pairs, level + 1, 2 * places
        (product,) = products

        if config.shift:
            product = ((product >> config.shift - 1) + 1) >> 1
        rounded = Signal(signed(max(9, len(product))), reset_less=True)
        m.d.sync += rounded.eq(product)

        sign = rounded[-1]
        fits = rounded[7:] == sign.replicate(len(rounded) - 7)
        m.d.sync += self.o.eq(Mux(fits, rounded[:8], Cat((~sign).replicate(7), sign)))
        if config.activation == "relu":
            with m.If(sign):
                m.d.sync += self.o.eq(0)

        return m
