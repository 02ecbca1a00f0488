"""Pipelined sum of many numbers."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component


def adder_tree_delay(terms: int) -> int:
    """Cycles from `i` to `o` of an `AdderTree` of that many terms."""
    return (terms - 1).bit_length()


class AdderTree(Component):
    """Sum of `terms` unsigned numbers, with a register after every level of two-input adders.

    One input per cycle, `delay` cycles of latency. The output holds the largest sum.

    Parameters
    ----------
    terms : numbers to add, at least 1.
    width : bits of each.

    Members
    -------
    enable : In(1), clock enable.
    i : In(terms * width), the concatenated numbers.
    o : Out(as wide as the largest sum).
    """

    def __init__(self, terms: int, width: int) -> None:
        self._most = 2**width - 1
        self.delay = adder_tree_delay(terms)
        super().__init__(
            {
                "enable": In(1),
                "i": In(terms * width),
                "o": Out(range(terms * self._most + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # Numbers, each with the largest value it can have.
        width = self._most.bit_length()
        partial = [(self.i[n : n + width], self._most) for n in range(0, len(self.i), width)]
        level = 0
        while len(partial) > 1:
            sums = []
            for n in range(0, len(partial), 2):
                pair = partial[n : n + 2]
                most = sum(bound for _, bound in pair)
                total = Signal(range(most + 1), name=f"sum_{level}_{n // 2}", reset_less=True)
                with m.If(self.enable):
                    m.d.sync += total.eq(sum(number for number, _ in pair))
                sums.append((total, most))
            partial = sums
            level += 1
        m.d.comb += self.o.eq(partial[0][0])

        return m
