"""Bernoulli encoder: one comparison turns a threshold and a random number into a spike."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component


class BernoulliEncoder(Component):
    """``spike = random < threshold``, combinational.

    With `random` uniform over ``0..2**width - 1`` the spike has probability
    ``threshold / 2**width``; a threshold of 0 never fires, one of ``2**width`` always does.

    Parameters
    ----------
    width : bits of the random number.

    Members
    -------
    threshold : In(width + 1), 0..2**width.
    random : In(width).
    spike : Out(1).

    Source: SSA, arXiv 2402.09109, the Bernoulli encoder.
    """

    def __init__(self, width: int) -> None:
        super().__init__({"threshold": In(width + 1), "random": In(width), "spike": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.spike.eq(self.random < self.threshold)
        return m
