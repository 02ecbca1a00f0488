"""A core between registers, for place and route without a board."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from spikeloom.blocks.component import Component

if TYPE_CHECKING:
    pass

FAN_IN = 4  # output registers joined by a LUT
CHAIN = 32  # registers in a row behind an input: long rows exhaust Yosys' stack


class BenchTop(Component):
    """`core` with shift registers before its inputs and a tree of parities behind its outputs.

    Every input bit comes from a register and every output bit goes to one, so that place and route
    times all paths of the core and none through pins. The wrapper adds one LUT per `CHAIN` input
    bits and about one per three output bits.

    Members
    -------
    i : In(1), into the shift registers. o : Out(1), delayed parity of all outputs.
    """

    def __init__(self, core: Component) -> None:
        self._core = core
        super().__init__({"i": In(1), "o": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core

        inputs, outputs = [], []
        for _, member, value in core.signature.flatten(core):
            (inputs if member.flow == In else outputs).append(value)
        # Each chain has a different input, or synthesis would merge them.
        history = Signal(64, reset_less=True)
        m.d.sync += history.eq(Cat(self.i, history))
        pins = Cat(_bits(value) for value in inputs)
        for n, (first, second) in zip(
            range(0, len(pins), CHAIN), combinations(range(len(history)), 2), strict=False
        ):
            chain = Signal(min(CHAIN, len(pins) - n), name=f"inputs_{n}", reset_less=True)
            m.d.sync += chain.eq(Cat(history[first] ^ history[second], chain))
            m.d.comb += pins[n : n + CHAIN].eq(chain)

        level, bits = 0, Cat(_bits(value) for value in outputs)
        while True:
            register = Signal(len(bits), name=f"outputs_{level}", reset_less=True)
            m.d.sync += register.eq(bits)
            if len(bits) == 1:
                break
            bits = Cat(register[n : n + FAN_IN].xor() for n in range(0, len(register), FAN_IN))
            level += 1
        m.d.comb += self.o.eq(register)

        return m


def _bits(value):
    return value.as_value() if hasattr(value, "as_value") else value
