"""The output stream's bytes, from the core to the line."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..blocks.memory_attributes import NO_READ_WRITE_COLLISION
from ..blocks.row_splitter import RowSplitter
from .protocol import MAX_PAYLOAD

DEPTH = 2 * MAX_PAYLOAD  # one payload on its way to the host, the next coming in


class ResultBuffer(Component):
    """A queue of bytes that can be read again until the host is known to have them.

    A beat is padded to whole bytes, lowest first, and enters a byte per cycle; the core waits while
    the queue is full.

    Members
    -------
    i : In(stream of {data: `bits`, last}), output beats of the core.
    waiting : Out(10), bytes that were not read yet, a cycle ago.
    data : Out(8), the first of them, a cycle after the last `step`.
    step : In(1), go on to the next.
    release : In(1), what was read has arrived; its place is free.
    again : In(1), go back to what was released last.

    Parameters
    ----------
    bits : width of a beat's data.
    """

    def __init__(self, bits: int) -> None:
        self._bits = bits
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"data": bits, "last": 1}))),
                "available": Out(range(DEPTH + 1)),
                "data": Out(8),
                "step": In(1),
                "release": In(1),
                "rewind": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.bytes = bytes_ = RowSplitter(-(-self._bits // 8) * 8, 8)
        m.d.comb += [
            bytes_.i.payload.eq(self.i.payload.data),
            bytes_.i.valid.eq(self.i.valid),
            self.i.ready.eq(bytes_.i.ready),
        ]

        # Positions count to twice the depth, so that full differs from empty.
        m.submodules.memory = memory = Memory(
            shape=8, depth=DEPTH, init=[], attrs=NO_READ_WRITE_COLLISION
        )
        write, read = memory.write_port(), memory.read_port()
        tail = Signal(range(2 * DEPTH))
        cursor = Signal.like(tail)
        head = Signal.like(tail)
        full = Signal()
        m.d.comb += [
            bytes_.o.ready.eq(~full),
            write.addr.eq(tail),
            write.data.eq(bytes_.o.payload),
            write.en.eq(bytes_.o.valid & ~full),
            read.addr.eq(cursor),
            self.data.eq(read.data),
        ]
        # Both a cycle late, to keep subtractions out of the core's paths: full with one place left.
        held = (tail - head)[: len(tail)]
        m.d.sync += [self.available.eq(tail - cursor), full.eq(held >= DEPTH - 1)]
        with m.If(write.en):
            m.d.sync += tail.eq(tail + 1)
        with m.If(self.step):
            m.d.sync += cursor.eq(cursor + 1)
        with m.If(self.release):
            m.d.sync += head.eq(cursor)
        with m.If(self.rewind):
            m.d.sync += cursor.eq(head)

        return m
