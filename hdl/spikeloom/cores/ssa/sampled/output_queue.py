"""Output of the pipeline: a queue behind it, or a stall of the pipeline itself."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ....blocks.component import Component
from ....blocks.memory_attributes import has_lut_ram
from ....blocks.skid_buffer import SkidBuffer


class OutputQueue(Component):
    """Output stream of a pipeline, a cycle after its last stage.

    A beat begins in a cycle with `free`, passes the pipeline while `advance` is high, and is
    delivered as `data` with `valid`.

    Where LUTs can be memory, there is a queue with a place for every beat in the pipeline, which
    never stops: no clock enable reaches all of its registers. Elsewhere the pipeline stops. Both
    take the same cycles while the output does not stall, if `depth` exceeds the cycles from the
    beginning of a beat to its output by two or more.

    Parameters
    ----------
    width : bits of a beat.
    depth : beats in the queue.

    Members
    -------
    begin : In(1), a beat begins. free : Out(1), it may.
    advance : Out(1), clock enable of the pipeline.
    valid : In(1), `data` is a beat. data : In(width), not a register.
    final : In(1), `data` is the last beat of a run; low without `valid`.
    o : Out(stream of `width` bits).
    ended : Out(1), the last beat of a run is transferred.
    """

    def __init__(self, width: int, depth: int) -> None:
        self._width = width
        self._depth = depth
        super().__init__(
            {
                "begin": In(1),
                "free": Out(1),
                "advance": Out(1),
                "valid": In(1),
                "data": In(width),
                "final": In(1),
                "o": Out(stream.Signature(width)),
                "ended": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        if not has_lut_ram(platform):
            m.submodules.buffer = buffer = SkidBuffer(self._width + 1)
            valid, final, output_final = Signal(), Signal(), Signal()
            data = Signal(self._width, reset_less=True)
            with m.If(self.advance):
                m.d.sync += [
                    valid.eq(self.valid),
                    data.eq(self.data),
                    final.eq(self.final),
                ]
            m.d.comb += [
                buffer.i.valid.eq(valid),
                buffer.i.payload.eq(Cat(data, final)),
                Cat(self.free, self.advance).eq(buffer.i.ready.replicate(2)),
                self.o.valid.eq(buffer.o.valid),
                Cat(self.o.payload, output_final).eq(buffer.o.payload),
                buffer.o.ready.eq(self.o.ready),
                self.ended.eq(output_final & self.o.ready),  # low without a beat
            ]
            return m

        m.submodules.queue = queue = SyncFIFO(width=self._width + 1, depth=self._depth)
        output_final = Signal()
        places = Signal(range(self._depth + 1), init=self._depth)
        free = Signal(init=1)
        taken = self.o.valid & self.o.ready
        returned = Signal()  # a cycle later, to shorten the path to `free`
        after = Signal.like(places)
        m.d.comb += after.eq(Mux(self.begin == returned, places, places + Mux(returned, 1, -1)))
        m.d.sync += [returned.eq(taken), places.eq(after), free.eq(after != 0)]
        m.d.comb += [
            self.free.eq(free),
            self.advance.eq(1),
            queue.w_en.eq(self.valid),
            queue.w_data.eq(Cat(self.data, self.final)),
            self.o.valid.eq(queue.r_rdy),
            Cat(self.o.payload, output_final).eq(queue.r_data),
            self.ended.eq(output_final & taken),
            queue.r_en.eq(self.o.ready),
        ]

        return m
