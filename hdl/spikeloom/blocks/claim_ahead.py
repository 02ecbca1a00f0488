"""Claims banks one ahead of their use."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from .component import Component


class ClaimAhead(Component):
    """Claims a bank for the work at hand and one for the work after.

    So there is no wait in between, and `have` is a register.

    Members
    -------
    there : In(1), a bank can be had. claim : Out(1), it is taken.
    have : Out(1), the work at hand has its bank. leave : In(1), it is through with it.
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

        ahead = Signal()  # the work after has its bank
        m.d.comb += self.claim.eq(self.available & ~ahead)
        with m.If(self.granted & ~self.done):
            m.d.sync += ahead.eq(ahead | self.claim)
        with m.Else():
            m.d.sync += [self.granted.eq(ahead | self.claim), ahead.eq(0)]

        return m
