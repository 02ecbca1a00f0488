"""Turns: tokens are learnt (K and V taken in) and answered (Q taken in, O sent) in order."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component


class Turns(Component):
    """Whose turn it is: without a mask a sequence is learnt, then answered; a causal core learns a
    token and answers it before it learns the next.

    Parameters
    ----------
    mask : "none" or "causal".

    Members
    -------
    learnt : In(1), a token has just been learnt; learnt_last : In(1), it was the sequence's last.
    answered : In(1), a token has just been answered; answered_last : In(1), likewise.
    learn, answer : Out(1), one of them high.
    fresh : Out(1), no token of this sequence has been learnt.
    """

    def __init__(self, mask: str) -> None:
        self._causal = mask == "causal"
        super().__init__(
            {
                "learnt": In(1),
                "learnt_last": In(1),
                "answered": In(1),
                "answered_last": In(1),
                "learn": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "answer": Out(1),
                "fresh": Out(1, init=1),  # pyright: ignore[reportCallIssue]
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.d.comb += self.answer.eq(~self.learn)
        with m.If(self.learnt):
            m.d.sync += self.fresh.eq(0)
            with m.If(self.learnt_last | self._causal):
                m.d.sync += self.learn.eq(0)
        with m.If(self.answered):
            with m.If(self.answered_last | self._causal):
                m.d.sync += self.learn.eq(1)
            with m.If(self.answered_last):
                m.d.sync += self.fresh.eq(1)

        return m
