"""Prefetch of memory banks: the next bank is claimed while the current one is in use."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from .component import Component


class ClaimAhead(Component):
    """Claims a bank for the current job and another one for the next job.

    Consecutive jobs run without a pause, and `granted` is a register.

    Members
    -------
    available : In(1), a free bank exists.
    claim : Out(1), take that bank.
    granted : Out(1), the current job owns a bank.
    done : In(1), the current job is finished with its bank.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "available": In(1),
                "claim": Out(1),
                "granted": Out(1),
                "done": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        ahead = Signal()  # the next job owns a bank
        m.d.comb += self.claim.eq(self.available & ~ahead)
        with m.If(self.granted & ~self.done):
            m.d.sync += ahead.eq(ahead | self.claim)
        with m.Else():
            m.d.sync += [self.granted.eq(ahead | self.claim), ahead.eq(0)]

        return m
