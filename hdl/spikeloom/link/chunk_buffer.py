"""One input stream's chunk, from the line to the core."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..blocks.loop_nest import LoopNest
from ..blocks.port_collisions import NEVER_BOTH
from .protocol import MAX_PAYLOAD


class ChunkBuffer(wiring.Component):
    """Holds one chunk of a tensor until the core has taken it, and puts bytes together to beats.

    Beats are padded to whole bytes, lowest byte first, and may straddle chunks. A byte takes two
    clocks.

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

    def __init__(self, bits):
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

        m.submodules.memory = memory = Memory(shape=8, depth=MAX_PAYLOAD, init=[], attrs=NEVER_BOTH)
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.addr.eq(self.w_addr),
            write.data.eq(self.w_data),
            write.en.eq(self.w_en),
        ]

        # What the last byte brings about is known a byte ahead: nothing waits for a comparison.
        left = Signal.like(self.length)
        taken = Signal.like(self.w_addr)
        final, done = Signal(), Signal(init=1)  # one byte is left, none is left
        closing, full, ended = Signal(), Signal(), Signal()
        m.d.comb += [
            self.room.eq(done & ~full),
            read.addr.eq(taken),
        ]
        with m.If(self.accept):
            m.d.sync += [
                left.eq(self.length),
                final.eq(self.length == 1),
                done.eq(self.length == 0),
                closing.eq(self.last),
                taken.eq(0),
            ]

        # Read, then shift in: a byte every other clock, as long as no beat stands in the way.
        size = -(-self._bits // 8)
        row = Signal(8 * size, reset_less=True)
        fetched = Signal()
        m.submodules.bytes = byte = LoopNest(byte=size)
        m.d.comb += [
            byte.step.eq(fetched & ~full),
            self.o.valid.eq(full),
            self.o.payload.data.eq(row),
            self.o.payload.last.eq(ended),
        ]
        m.d.sync += fetched.eq(~done & ~byte.step)
        with m.If(byte.step):
            m.d.sync += [
                row.eq(Cat(row, read.data)[8:]),
                taken.eq(taken + 1),
                left.eq(left - 1),
                final.eq(left == 2),
                done.eq(final),
                full.eq(byte.byte_last),
                ended.eq(closing & final),
            ]
        with m.If(full & self.o.ready):
            m.d.sync += full.eq(0)

        return m
