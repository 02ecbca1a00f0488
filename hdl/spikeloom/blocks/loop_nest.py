"""Nested counters: the loops of a schedule, one iteration per cycle."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .component import Component


class LoopNest(Component):
    """``for a in range(A): for b in range(B): ...``, one iteration per cycle.

    Advances by one iteration of the innermost loop in every cycle in which `step` is high, and
    wraps around after the last. With `skip`, a step advances to the next iteration of the outermost
    loop; it is allowed only while the inner loops are at their first iteration.

    Parameters
    ----------
    extents : iterations of each loop by name, outermost first, each at least 1.

    Members
    -------
    step : In(1), advance.
    skip : In(1), with `step`: skip the remaining iterations of the inner loops.
    NAME : Out, index of loop NAME.
    NAME_first, NAME_last : Out(1), loop NAME and all loops inside it are at their first, last
        iteration.
    """

    def __init__(self, **extents: int) -> None:
        self.extents = extents
        members = {"step": In(1), "skip": In(1)}
        for name, extent in extents.items():
            members[name] = Out(range(extent))
            members[f"{name}_first"] = Out(1)
            members[f"{name}_last"] = Out(1)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()

        first = last = Const(1)
        step = self.step & ~self.skip
        outermost, *_ = self.extents
        for name, extent in reversed(self.extents.items()):
            if name == outermost:
                step, last = self.step, last | self.skip
            index = getattr(self, name)
            at_first = at_last = Const(1)
            if extent > 1:
                # Registers rather than comparisons with the index, to shorten the paths behind
                # them.
                at_first = Signal(init=1, name=f"{name}_at_first")
                at_last = Signal(name=f"{name}_at_last")
                with m.If(step & last):
                    m.d.sync += [
                        index.eq(Mux(at_last, 0, index + 1)),
                        at_first.eq(at_last),
                        at_last.eq(index == extent - 2),
                    ]
            m.d.comb += [
                getattr(self, f"{name}_first").eq(first & at_first),
                getattr(self, f"{name}_last").eq(last & at_last),
            ]
            first, last = getattr(self, f"{name}_first"), getattr(self, f"{name}_last")

        return m
