"""Order in which tokens are learnt (K and V are read) and answered (Q is read, O is sent)."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component


class Turns(Component):
    """Selects whether to learn or to answer a token.

    Without a mask all tokens of a sequence are learnt, then all are answered. With a causal mask
    each token is answered before the next one is learnt.

    Parameters
    ----------
    mask : "none" or "causal".

    Members
    -------
    learnt : In(1), a token has been learnt. learnt_last : In(1), it is the last of the sequence.
    answered : In(1), a token has been answered. answered_last : In(1), it is the last of the
        sequence.
    learn, answer : Out(1), exactly one of them is high.
    fresh : Out(1), no token of the current sequence has been learnt.
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
