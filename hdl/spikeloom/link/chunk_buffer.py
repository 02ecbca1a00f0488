"""Buffer for a chunk of one input stream, between the line and the core."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..blocks.loop_nest import LoopNest
from ..blocks.memory_attributes import NO_READ_WRITE_COLLISION
from .protocol import MAX_PAYLOAD


class ChunkBuffer(Component):
    """Holds one chunk of a tensor until the core has accepted it, and assembles bytes into beats.

    Beats are padded to whole bytes, lowest byte first, and may span two chunks. A byte takes two
    cycles.

    Members
    -------
    w_addr : In(8), w_data : In(8), w_en : In(1), write a byte; allowed only while `room` is high.
    accept : In(1), the chunk is complete: pass it to the core.
    length : In(9), with `accept`: bytes in the chunk.
    last : In(1), with `accept`: the chunk ends a tensor, so its last beat has ``last``.
    room : Out(1), the core has accepted all complete beats; an incomplete one may remain.
    o : Out(stream of {data: `bits`, last}).

    Parameters
    ----------
    bits : width of a beat's data.
    """

    def __init__(self, bits: int) -> None:
        self._bits = bits
        super().__init__(
            {
                "w_addr": In(range(MAX_PAYLOAD)),
                "w_data": In(8),
                "w_en": In(1),
                "accept": In(1),
                "length": In(range(MAX_PAYLOAD + 1)),
                "last": In(1),
                "room": Out(1),
                "o": Out(stream.Signature(data.StructLayout({"data": bits, "last": 1}))),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.memory = memory = Memory(
            shape=8, depth=MAX_PAYLOAD, init=[], attrs=NO_READ_WRITE_COLLISION
        )
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.addr.eq(self.w_addr),
            write.data.eq(self.w_data),
            write.en.eq(self.w_en),
        ]

        taken = Signal.like(self.length)  # bytes read from the chunk
        end = Signal.like(self.length)
        closing = Signal()
        done = Signal(init=1)  # no byte was left in the previous cycle
        m.d.sync += done.eq(taken == end)
        m.d.comb += read.addr.eq(taken)
        with m.If(self.accept):
            m.d.sync += [end.eq(self.length), closing.eq(self.last), taken.eq(0)]

        # Read, then shift in: a byte every other cycle, unless a complete beat is pending.
        size = -(-self._bits // 8)
        row = Signal(8 * size, reset_less=True)
        fetched = Signal()
        full, known = Signal(), Signal()  # a beat is complete; its `last` is valid
        m.submodules.bytes = byte = LoopNest(byte=size)
        m.d.comb += [
            byte.step.eq(fetched & ~done & ~full),
            self.room.eq(done & ~full),
            self.o.valid.eq(known),
            self.o.payload.data.eq(row),
            self.o.payload.last.eq(closing & done),
        ]
        m.d.sync += [fetched.eq(~done & ~byte.step), known.eq(full)]
        with m.If(byte.step):
            m.d.sync += [
                row.eq(Cat(row, read.data)[8:]),
                taken.eq(taken + 1),
                full.eq(byte.byte_last),
            ]
        with m.If(known & self.o.ready):
            m.d.sync += [full.eq(0), known.eq(0)]

        return m
