"""Gives a stage that cannot wait a stream on either side."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out


class QueuedStage(wiring.Component):
    """`stage` between two streams: what comes out while nobody takes it waits in a queue.

    Beats are let in while the queue has room for all that may be under way, up to one per clock.

    Parameters
    ----------
    stage : component with `i`, `i_valid` : In(1), `o` and `o_valid` : Out(1), never held up.
    under_way : most beats that come out after a clock in which none was let in.

    Members
    -------
    i : In(stream of the stage's `i`).
    o : Out(stream of the stage's `o`).
    """

    def __init__(self, stage, under_way):
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
        m.submodules.queue = queue = SyncFIFOBuffered(
            width=len(self.o.p.as_value()), depth=2 * self._under_way + 2
        )
        m.d.comb += [
            self.i.ready.eq(queue.level <= self._under_way + 1),
            stage.i.eq(self.i.p),
            stage.i_valid.eq(self.i.valid & self.i.ready),
            queue.w_data.eq(stage.o),
            queue.w_en.eq(stage.o_valid),
            self.o.p.eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
        ]

        return m
