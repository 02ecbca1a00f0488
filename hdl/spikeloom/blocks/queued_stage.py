"""Stream interfaces for a pipeline stage that cannot stall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from .component import Component

if TYPE_CHECKING:
    from amaranth.hdl import ValueLike

QUEUE_DELAY = 2  # cycles from a beat of the stage to the same beat of the stream


class QueuedStage(Component):
    """`stage` between two streams; results produced while the consumer stalls are queued.

    A beat is accepted while the queue has room for all beats in flight, up to one per cycle.

    Parameters
    ----------
    stage : component with `i`, `i_valid` : In(1), `o` and `o_valid` : Out(1), without backpressure.
    under_way : the largest number of beats that leave the stage after a cycle in which none
        entered.

    Members
    -------
    i : In(stream of the stage's `i`).
    o : Out(stream of the stage's `o`).
    """

    def __init__(self, stage: Any, under_way: int) -> None:
        self._stage = stage
        self._under_way = under_way
        members = stage.signature.members
        super().__init__(
            {
                "i": In(stream.Signature(members["i"].shape)),
                "o": Out(stream.Signature(members["o"].shape)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.stage = stage = self._stage
        room = queue_output(m, stage.o, stage.o_valid, self.o, self._under_way)
        m.d.comb += [
            self.i.ready.eq(room),
            stage.i.eq(self.i.p),
            stage.i_valid.eq(self.i.valid & self.i.ready),
        ]

        return m


def queue_output(m: Module, payload: ValueLike, valid: ValueLike, o: Any, under_way: int) -> Signal:
    """Put a queue between a stage, whose beats are `payload` while `valid`, and the stream `o`.

    Returns whether the queue has room for `under_way` more beats, those that leave the stage after
    its input stops.
    """
    m.submodules.queue = queue = SyncFIFOBuffered(
        width=len(o.p.as_value()), depth=2 * under_way + 2
    )
    level = queue.level  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
    room = Signal()
    m.d.comb += [
        room.eq(level <= under_way + 1),
        queue.w_data.eq(payload),
        queue.w_en.eq(valid),
        o.p.eq(queue.r_data),
        o.valid.eq(queue.r_rdy),
        queue.r_en.eq(o.ready),
    ]
    return room
