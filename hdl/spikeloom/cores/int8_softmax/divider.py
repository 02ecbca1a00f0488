"""Division of a stream of numbers."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component

QUOTIENT_BITS = 8


class Divider(Component):
    """``o = round(i / norm)``, halves upwards: a subtraction in each of its stages.

    One quotient per cycle, `delay` cycles of latency. `norm` must not change while numbers are in
    the stages.

    Parameters
    ----------
    norm_bits : bits of the divisor.

    Members
    -------
    norm : In(norm_bits), the divisor.
    i : In(norm_bits + 8), less than ``255.5 norm``.
    o : Out(8).
    """

    # The quotient has a bit more than the output, by which it is rounded.
    delay = QUOTIENT_BITS + 2

    def __init__(self, norm_bits: int) -> None:
        self._norm_bits = norm_bits
        super().__init__(
            {
                "norm": In(norm_bits),
                "i": In(norm_bits + QUOTIENT_BITS),
                "o": Out(QUOTIENT_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # Each stage brings down a bit and subtracts the divisor if it is not larger.
        rest, below, quotient = self.i[QUOTIENT_BITS:], self.i[:QUOTIENT_BITS], Cat()
        for n in range(QUOTIENT_BITS + 1):
            dividend = Cat(below[-1], rest) if len(below) else Cat(0, rest)
            difference = Signal(self._norm_bits + 2, name=f"difference_{n}")
            m.d.comb += difference.eq(dividend - self.norm)
            fits = ~difference[-1]
            left = Signal(self._norm_bits, name=f"rest_{n}", reset_less=True)
            m.d.sync += left.eq(dividend)
            with m.If(fits):
                m.d.sync += left.eq(difference)
            found = Signal(n + 1, name=f"quotient_{n}", reset_less=True)
            m.d.sync += found.eq(Cat(fits, quotient))
            if len(below) > 1:
                lower = Signal(len(below) - 1, name=f"below_{n}", reset_less=True)
                m.d.sync += lower.eq(below[:-1])
                below = lower
            else:
                below = below[:0]
            rest, quotient = left, found
        m.d.sync += self.o.eq((quotient + 1) >> 1)

        return m
