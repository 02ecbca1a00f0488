"""Weights from scores: an exponential of base 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Module, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import small_memory
from .tables import exponentials

if TYPE_CHECKING:
    from .core import Int8Softmax


class Exponential(Component):
    """``p = round(2^-(below / 2^fraction) (2^prob_bits - 1))``: a table for the fraction, a shift.

    One weight per cycle, `delay` cycles of latency.

    Members
    -------
    below : In(score_bits), the difference of the largest score to this one.
    p : Out(prob_bits).
    """

    delay = 3

    def __init__(self, config: Int8Softmax) -> None:
        self._config = config
        super().__init__({"below": In(config.score_bits), "p": Out(config.prob_bits)})

    def elaborate(self, platform):
        m = Module()
        config = self._config

        # The table, and by how many places to shift: as many as leave nothing if there are more.
        table = exponentials(config)
        m.submodules.table = memory = Memory(
            shape=config.prob_bits,
            depth=len(table),
            init=table,
            attrs=small_memory(platform, constant=True),
        )
        read = memory.read_port()
        whole = self.below[config.fraction :]
        bits = (config.prob_bits + 1).bit_length()
        halvings = Signal(bits, reset_less=True)
        m.d.comb += read.addr.eq(self.below[: config.fraction])
        m.d.sync += halvings.eq(whole[:bits] | whole[bits:].any().replicate(bits))

        # Twice the weight, then rounded.
        twice = Signal(config.prob_bits + 1, reset_less=True)
        m.d.sync += [
            twice.eq((read.data << 1) >> halvings),
            self.p.eq((twice + 1) >> 1),
        ]

        return m
