"""One input stream's chunk, from the line to the core."""

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
    """Holds one chunk of a tensor until the core has taken it, and puts bytes together to beats.

    Beats are padded to whole bytes, lowest byte first, and may straddle chunks. A byte takes two
    cycles.

    Members
    -------
    w_addr : In(8), w_data : In(8), w_en : In(1), write a byte; only while there is `room`.
    accept : In(1), what was written is a chunk: hand it to the core.
    length : In(9), its bytes, with `accept`.
    last : In(1), with `accept`: the last beat in it is marked as the last of a tensor.
    room : Out(1), the core has taken every whole beat; part of another may wait for its rest.
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

        taken = Signal.like(self.length)  # bytes that are gone
        end = Signal.like(self.length)
        closing = Signal()
        done = Signal(init=1)  # none is left, a cycle ago
        m.d.sync += done.eq(taken == end)
        m.d.comb += read.addr.eq(taken)
        with m.If(self.accept):
            m.d.sync += [end.eq(self.length), closing.eq(self.last), taken.eq(0)]

        # Read, then shift in: a byte every other cycle, as long as no beat stands in the way.
        size = -(-self._bits // 8)
        row = Signal(8 * size, reset_less=True)
        fetched = Signal()
        full, known = Signal(), Signal()  # a beat is there; so is whether it is the last
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
