"""Pipelined population count."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from .component import Component

GROUP = 8  # values added between two registers


def popcount_delay(width: int) -> int:
    """Cycles from `i` to `o` of a `Popcount` of `width` bits."""
    delay = 0
    while width > 1:
        width = -(-width // GROUP)
        delay += 1
    return delay


class Popcount(Component):
    """Number of ones among `width` bits, a register after every eight-to-one adder level.

    One input per cycle; `delay` cycles of latency, ``ceil(log8(width))``.

    Parameters
    ----------
    width : bits to count, at least 1.

    Members
    -------
    i : In(width).
    o : Out(range(width + 1)).
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self.delay = popcount_delay(width)
        super().__init__({"i": In(width), "o": Out(range(width + 1))})

    def elaborate(self, platform):
        m = Module()

        most = 1  # largest value of one partial sum
        partial = list(self.i)
        for level in range(self.delay):
            most = min(most * GROUP, self._width)
            groups = [partial[n : n + GROUP] for n in range(0, len(partial), GROUP)]
            partial = []
            for n, group in enumerate(groups):
                count = Signal(range(most + 1), name=f"count_{level}_{n}", reset_less=True)
                m.d.sync += count.eq(_sum(group))
                partial.append(count)
        m.d.comb += self.o.eq(partial[0])

        return m


def _sum(values):
    """Sum of a list of values, added pairwise as a tree."""
    while len(values) > 1:
        values = [sum(values[n + 1 : n + 2], values[n]) for n in range(0, len(values), 2)]
    return values[0]
