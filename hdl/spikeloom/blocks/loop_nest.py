"""Nested counters: the loops of a schedule, one iteration per clock."""

from amaranth.hdl import Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class LoopNest(wiring.Component):
    """``for a in range(A): for b in range(B): ...``, one iteration per clock.

    Moves on by one iteration of the innermost loop at every clock in which `step` is high, and
    starts over after the last.

    Parameters
    ----------
    extents : iterations of each loop by name, outermost first, each at least 1.

    Members
    -------
    step : In(1).
    NAME : Out, index of loop NAME.
    NAME_first, NAME_last : Out(1), loop NAME and all loops inside it are at their first, last
        iteration.
    """

    def __init__(self, **extents):
        self._extents = extents
        members = {"step": In(1)}
        for name, extent in extents.items():
            members[name] = Out(range(extent))
            members[f"{name}_first"] = Out(1)
            members[f"{name}_last"] = Out(1)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()

        inner_first = inner_last = Const(1)
        for name, extent in reversed(self._extents.items()):
            index = getattr(self, name)
            first = inner_first & (index == 0)
            last = inner_last & (index == extent - 1)
            m.d.comb += getattr(self, f"{name}_first").eq(first)
            m.d.comb += getattr(self, f"{name}_last").eq(last)

            if extent > 1:
                with m.If(self.step & inner_last):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == extent - 1):
                        m.d.sync += index.eq(0)
            inner_first = getattr(self, f"{name}_first")
            inner_last = getattr(self, f"{name}_last")

        return m
