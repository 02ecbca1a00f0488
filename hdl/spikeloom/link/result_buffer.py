"""Buffer for the bytes of the output stream, between the core and the line."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..blocks.memory_attributes import NO_READ_WRITE_COLLISION
from ..blocks.row_splitter import RowSplitter
from .protocol import MAX_PAYLOAD, slot_bytes

DEPTH = 2 * MAX_PAYLOAD  # one payload in transfer to the host, and the next one


class ResultBuffer(Component):
    """A queue of bytes, which can be read again until the host has acknowledged them.

    A beat is padded to whole bytes, lowest first, and written at one byte per cycle. With several
    streams, the number of the stream is in front of each beat, and all beats are as long as the
    widest. Of streams with a beat at the same time, the first goes first. The core stalls while the
    queue is full.

    Members
    -------
    i_N : In(stream of {data: ``outputs[N]`` bits, last}), output beats of the core.
    available : Out(10), unread bytes in the previous cycle.
    data : Out(8), the first unread byte, valid one cycle after `step`.
    step : In(1), advance to the next byte.
    release : In(1), discard the bytes read so far, which the host has received.
    rewind : In(1), return to the first byte that was not released.

    Parameters
    ----------
    outputs : width of a beat's data of each stream.
    """

    def __init__(self, outputs: Sequence[int]) -> None:
        self._outputs = outputs
        super().__init__(
            {
                **{f"i_{n}": In(_beats(bits)) for n, bits in enumerate(outputs)},
                "available": Out(range(DEPTH + 1)),
                "data": Out(8),
                "step": In(1),
                "release": In(1),
                "rewind": In(1),
            }
        )

    @property
    def i(self) -> list:
        """The streams in order."""
        return [getattr(self, f"i_{n}") for n in range(len(self._outputs))]

    def elaborate(self, platform):
        m = Module()

        m.submodules.bytes = bytes_ = RowSplitter(8 * slot_bytes(self._outputs), 8)
        free = Const(1)  # no stream before has a beat
        for n, stream_ in enumerate(self.i):
            number = Const(n, 8 * (len(self.i) > 1))
            with m.If(free & stream_.valid):
                m.d.comb += bytes_.i.payload.eq(Cat(number, stream_.payload.data))
            m.d.comb += stream_.ready.eq(free & bytes_.i.ready)
            free &= ~stream_.valid
        m.d.comb += bytes_.i.valid.eq(~free)

        # Positions are modulo twice the depth, so that a full queue differs from an empty one.
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
        # Registers keep the subtractions out of the core's paths. They lag by one cycle, so `full`
        # is set with one place left.
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


def _beats(bits):
    return stream.Signature(data.StructLayout({"data": bits, "last": 1}))
