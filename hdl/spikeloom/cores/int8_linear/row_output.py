"""Rows of outputs as beats, with a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Array, Cat, Module, Signal, signed
from amaranth.lib.wiring import In, Out

from ...blocks.bank_ring import BankRing
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest

if TYPE_CHECKING:
    from .core import Int8Linear


class RowOutput(Component):
    """Gathers `lanes` values of a token into a beat, and queues the beats that are under way.

    Parameters
    ----------
    places : beats in the queue.

    Members
    -------
    free : Out(1), the queue has a place. issued : In(1), take it for a beat.
    i : In(signed(8)), a value while `i_valid`. i_valid : In(1).
    o : Out(the stream of y).
    """

    # Cycles from the last value of a beat to the beat, and from then to the next use of its place.
    delay, reuse = 1, 1

    def __init__(self, config: Int8Linear, places: int) -> None:
        self._config = config
        self._places = places
        super().__init__(
            {
                "free": Out(1),
                "issued": In(1),
                "i": In(signed(8)),
                "i_valid": In(1),
                "o": Out(config.outputs["y"].signature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        m.submodules.count = count = LoopNest(token=config.tokens, output=config.output_dim)
        m.submodules.ring = ring = BankRing(self._places)
        taken = self.o.valid & self.o.ready
        m.d.comb += [
            count.step.eq(self.i_valid),
            self.free.eq(ring.free),
            ring.reserve.eq(self.issued),
            self.o.valid.eq(ring.full),
            ring.claim.eq(taken),
            ring.release.eq(taken),
        ]

        # The place of the next value in the row, one-hot. What is not written is zero.
        place = Signal(config.lanes, init=1)
        row = Signal(8 * config.lanes)
        held = row | Cat(self.i.as_unsigned() & one.replicate(8) for one in place)
        with m.If(self.i_valid):
            m.d.sync += [row.eq(held), place.eq(place << 1)]
        with m.If(self.i_valid & (place[-1] | count.output_last)):
            m.d.comb += ring.close.eq(1)
            m.d.sync += [row.eq(0), place.eq(1)]

        queue = Array(
            Signal(self.o.payload.shape(), name=f"beat_{n}", reset_less=True)
            for n in range(self._places)
        )
        with m.If(ring.close):
            m.d.sync += [
                queue[ring.w_bank].data.eq(held),
                queue[ring.w_bank].last.eq(count.token_last),
            ]
        m.d.comb += self.o.payload.eq(queue[ring.r_bank])

        return m
