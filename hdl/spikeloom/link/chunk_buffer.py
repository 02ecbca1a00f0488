"""Buffers for a chunk of each input stream, between the line and the core."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..blocks.loop_nest import LoopNest
from ..blocks.memory_attributes import NO_READ_WRITE_COLLISION
from .protocol import MAX_PAYLOAD

SHARED = 2  # buffers in one memory: two chunks fill a block RAM, and a buffer reads half the time


class ChunkMemory(Component):
    """The bytes of two chunks, each of which is read every other cycle.

    Members
    -------
    w_addr : In(8), w_data : In(8), w_en : In(2), write a byte of chunk 0 or 1.
    r_addr_0, r_addr_1 : In(8), the byte to read of each chunk.
    r_data : Out(8), the byte of chunk n in a cycle in which bit n of `turn` is high: at its
        `r_addr` of the previous cycle.
    turn : Out(2), one bit is high.
    """

    def __init__(self) -> None:
        address = range(MAX_PAYLOAD)
        super().__init__(
            {
                "w_addr": In(address),
                "w_data": In(8),
                "w_en": In(SHARED),
                **{f"r_addr_{n}": In(address) for n in range(SHARED)},
                "r_data": Out(8),
                "turn": Out(SHARED),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.memory = memory = Memory(
            shape=8, depth=SHARED * MAX_PAYLOAD, init=[], attrs=NO_READ_WRITE_COLLISION
        )
        write, read = memory.write_port(), memory.read_port()
        second = Signal()  # the chunk whose address is given to the memory
        m.d.sync += second.eq(~second)
        m.d.comb += [
            write.addr.eq(Cat(self.w_addr, self.w_en[1])),
            write.data.eq(self.w_data),
            write.en.eq(self.w_en.any()),
            read.addr.eq(Cat(self.r_addr_0, second)),
            self.r_data.eq(read.data),
            self.turn.eq(Cat(second, ~second)),
        ]
        with m.If(second):
            m.d.comb += read.addr.eq(Cat(self.r_addr_1, second))

        return m


class ChunkBuffer(Component):
    """Holds one chunk of a tensor until the core has accepted it, and assembles bytes into beats.

    Beats are padded to whole bytes, lowest byte first, and may span two chunks. A byte takes two
    cycles. The bytes are in a `ChunkMemory`.

    Members
    -------
    accept : In(1), the chunk is complete: pass it to the core.
    length : In(9), with `accept`: bytes in the chunk.
    last : In(1), with `accept`: the chunk ends a tensor, so its last beat has ``last``.
    room : Out(1), the core has accepted all complete beats; an incomplete one may remain.
    r_addr : Out(8), r_data : In(8), turn : In(1), read a byte; see `ChunkMemory`.
    o : Out(stream of {data: `bits`, last}).

    Parameters
    ----------
    bits : width of a beat's data.
    """

    def __init__(self, bits: int) -> None:
        self._bits = bits
        super().__init__(
            {
                "accept": In(1),
                "length": In(range(MAX_PAYLOAD + 1)),
                "last": In(1),
                "room": Out(1),
                "r_addr": Out(range(MAX_PAYLOAD)),
                "r_data": In(8),
                "turn": In(1),
                "o": Out(stream.Signature(data.StructLayout({"data": bits, "last": 1}))),
            }
        )

    def elaborate(self, platform):
        m = Module()

        taken = Signal.like(self.length)  # bytes read from the chunk
        end = Signal.like(self.length)
        closing = Signal()
        done = Signal(init=1)  # no byte was left in the previous cycle
        m.d.sync += done.eq(taken == end)
        m.d.comb += self.r_addr.eq(taken)
        with m.If(self.accept):
            m.d.sync += [end.eq(self.length), closing.eq(self.last), taken.eq(0)]

        # A byte is shifted in with each turn, unless a complete beat is pending.
        size = -(-self._bits // 8)
        row = Signal(8 * size, reset_less=True)
        full, known = Signal(), Signal()  # a beat is complete; its `last` is valid
        m.submodules.bytes = byte = LoopNest(byte=size)
        m.d.comb += [
            byte.step.eq(self.turn & ~done & ~full),
            self.room.eq(done & ~full),
            self.o.valid.eq(known),
            self.o.payload.data.eq(row),
            self.o.payload.last.eq(closing & done),
        ]
        m.d.sync += known.eq(full)
        with m.If(byte.step):
            m.d.sync += [
                row.eq(Cat(row, self.r_data)[8:]),
                taken.eq(taken + 1),
                full.eq(byte.byte_last),
            ]
        with m.If(known & self.o.ready):
            m.d.sync += [full.eq(0), known.eq(0)]

        return m
