"""Logarithm of an integer from tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.select import lookup
from .tables import exponent_logs, mantissa_logs

if TYPE_CHECKING:
    from amaranth.hdl import Value

    from .core import Spiked


class Logarithm(Component):
    """``log_B`` of a positive integer with ``LOG_FRACTION`` fraction bits.

    The result is the sum of two table entries, one for the position of the leading one and one for
    the `bits` bits after it. One number per cycle, `delay` cycles of latency. The output is
    undefined for zero.

    Parameters
    ----------
    config : Spiked (base).
    width : bits of the number.
    bits : bits of the mantissa that are used.

    Members
    -------
    i : In(width).
    o : Out, wide enough for the logarithm of the largest number.
    """

    delay = 6  # cycles from `i` to `o`

    def __init__(self, config: Spiked, width: int, bits: int) -> None:
        self._exponents = exponent_logs(config.base, width)
        self._mantissas = mantissa_logs(config.base, bits)
        self._bits = bits
        most = self._exponents[-1] + self._mantissas[-1]
        super().__init__({"i": In(width), "o": Out(range(most + 1))})

    def elaborate(self, platform):
        m = Module()

        # Shift the leading one to the top, in strides from large to small.
        shift_bits = max(1, (len(self.i) - 1).bit_length())
        top = 1 << shift_bits
        number = Cat(Const(0, top - len(self.i)), self.i)
        zeros: list[Value] = []
        registers = [shift_bits * 2 // 3, shift_bits // 3]
        for n in reversed(range(shift_bits)):
            low = Signal(name=f"low_{n}")
            moved = Signal(top, name=f"moved_{n}")
            m.d.comb += low.eq(number[top - (1 << n) :] == 0)
            zeros.insert(0, low)
            m.d.comb += moved.eq(Mux(low, number << (1 << n), number))
            number = moved
            # Registers after each third of the levels.
            for _ in range(registers.count(n)):
                held = Signal(len(zeros) + top, reset_less=True)
                m.d.sync += held.eq(Cat(zeros, number))
                *zeros, number = *held[: len(zeros)], held[len(zeros) :]
        leading_zeros = Signal(shift_bits, reset_less=True)
        mantissa = Signal(self._bits, reset_less=True)
        m.d.sync += [
            leading_zeros.eq(Cat(zeros)),
            mantissa.eq(Cat(Const(0, self._bits), number[:-1])[-self._bits :]),
        ]

        # Look up both tables. A register, because block RAM has a long output delay.
        m.submodules.table = table = Memory(
            shape=range(max(self._mantissas) + 1), depth=1 << self._bits, init=self._mantissas
        )
        mantissa_log = table.read_port()
        exponent_log = Signal(range(self._exponents[-1] + 1), reset_less=True)
        addends = [Signal.like(log, reset_less=True) for log in (exponent_log, mantissa_log.data)]
        m.d.comb += mantissa_log.addr.eq(mantissa)
        m.d.sync += [
            exponent_log.eq(lookup(self._exponents[::-1], leading_zeros)),
            Cat(addends).eq(Cat(exponent_log, mantissa_log.data)),
            self.o.eq(addends[0] + addends[1]),
        ]

        return m
