"""Pipelined sum of many numbers."""

from __future__ import annotations

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib.wiring import In, Out

from .component import Component


def adder_tree_delay(terms: int) -> int:
    """Cycles from `i` to `o` of an `AdderTree` of that many terms."""
    return (terms - 1).bit_length()


class AdderTree(Component):
    """Sum of `terms` numbers, with a register after every level of two-input adders.

    One input per cycle, `delay` cycles of latency. The output holds the largest sum.

    Parameters
    ----------
    terms : numbers to add, at least 1.
    width : bits of each.
    signed : whether they are in two's complement.

    Members
    -------
    enable : In(1), clock enable.
    i : In(terms * width), the concatenated numbers.
    o : Out(as wide as the largest sum).
    """

    def __init__(self, terms: int, width: int, *, signed: bool = False) -> None:
        self._width = width
        self._range = (-(2 ** (width - 1)), 2 ** (width - 1)) if signed else (0, 2**width)
        self.delay = adder_tree_delay(terms)
        super().__init__(
            {
                "enable": In(1),
                "i": In(terms * width),
                "o": Out(self._sum_of(terms)),
            }
        )

    def _sum_of(self, terms):
        """The shape of a sum of that many numbers."""
        low, high = self._range
        return Shape.cast(range(terms * low, terms * (high - 1) + 1))

    def elaborate(self, platform):
        m = Module()

        # Sums, each with the number of terms that it has.
        one = self._sum_of(1)
        numbers = (self.i[n : n + self._width] for n in range(0, len(self.i), self._width))
        partial = [(number.as_signed() if one.signed else number, 1) for number in numbers]
        level = 0
        while len(partial) > 1:
            sums = []
            for n in range(0, len(partial), 2):
                pair = partial[n : n + 2]
                terms = sum(count for _, count in pair)
                name = f"sum_{level}_{n // 2}"
                total = Signal(self._sum_of(terms), name=name, reset_less=True)
                with m.If(self.enable):
                    m.d.sync += total.eq(sum(number for number, _ in pair))
                sums.append((total, terms))
            partial = sums
            level += 1
        m.d.comb += self.o.eq(partial[0][0])

        return m
