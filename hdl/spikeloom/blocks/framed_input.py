"""Checks that ``last`` on an input stream falls where a tensor ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .component import Component
from .loop_nest import LoopNest

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike


class FramedInput(Component):
    """Forwards a stream and compares its ``last`` with a count of the transferred beats.

    No latency. The ``last`` of the output comes from the count, so that later stages can rely on
    it. With `open_ended` only the innermost loop has a known length: ``last`` is forwarded, and it
    is wrong only if that loop is not at its end.

    Parameters
    ----------
    payload : layout of the payload, with a field ``last``.
    open_ended : whether only the stream's ``last`` marks the end of a tensor.
    extents : the loops over the beats of a tensor, outermost first, as for `LoopNest`.

    Members
    -------
    i : In(stream of `payload`).
    o : Out(stream of `payload`).
    misframed : Out(1), the current beat has a wrong ``last``; high until the beat is transferred.
    """

    def __init__(self, payload: ShapeLike, *, open_ended: bool = False, **extents: int) -> None:
        self._open_ended = open_ended
        self._extents = extents
        super().__init__(
            {
                "i": In(stream.Signature(payload)),
                "o": Out(stream.Signature(payload)),
                "misframed": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        wiring.connect(m, wiring.flipped(self.i), wiring.flipped(self.o))
        m.submodules.count = count = LoopNest(**self._extents)
        outermost, *_ = self._extents
        expected = getattr(count, f"{outermost}_last")
        last = self.i.payload.last
        m.d.comb += count.step.eq(self.i.valid & self.i.ready)
        if self._open_ended:
            m.d.comb += self.misframed.eq(self.i.valid & last & ~expected)
        else:
            m.d.comb += [
                self.misframed.eq(self.i.valid & (last != expected)),
                self.o.payload.last.eq(expected),
            ]

        return m
