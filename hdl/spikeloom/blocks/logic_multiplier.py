"""A multiplier made of LUTs, for products beyond those of the DSP blocks."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from .component import Component
from .multiplier import Multiplier


class LogicMultiplier(Component):
    """``o = a * b``, signed: sums of shifted `a` for each half of the bits of `b`, then their sum.

    One product per cycle, `delay` cycles of latency, those of a `Multiplier`. It has no ``*``,
    which synthesis would put into a DSP block.

    Parameters
    ----------
    width : bits of an operand, at least 2.

    Members
    -------
    a, b : In(signed(width)).
    o : Out(signed(2 * width)).
    """

    delay = Multiplier.delay

    def __init__(self, width: int) -> None:
        super().__init__(
            {"a": In(signed(width)), "b": In(signed(width)), "o": Out(signed(2 * width))}
        )

    def elaborate(self, platform):
        m = Module()

        width = len(self.b)
        half = width // 2
        rows = [Mux(bit, self.a, 0) for bit in self.b]
        low = Signal(signed(width + half), reset_less=True)
        high = Signal(signed(2 * width - half), reset_less=True)
        above = sum(row << n for n, row in enumerate(rows[half:-1]))
        m.d.sync += [
            low.eq(sum(row << n for n, row in enumerate(rows[:half]))),
            high.eq(above - (rows[-1] << width - 1 - half)),  # the bit of the sign
            self.o[:half].eq(low[:half]),
            self.o[half:].eq((low >> half) + high),
        ]

        return m
