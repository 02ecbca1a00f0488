"""Memory of weights: initialised by the bitstream, or loaded by a stream."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import LOADED_RAM, NO_READ_WRITE_COLLISION
from ..engine_limits import CHUNK_BITS
from .bitmap_memory import parts


class WeightMemory(Component):
    """Words of weights, one row of the weight matrix for one group of outputs each.

    A loaded memory has one port for reads and writes. Synthesis maps it to the large single-port
    RAM, if the device has it, which the bitstream cannot initialise. Words arrive in chunks of 16
    bits, lowest first, in the order of addresses; ``last`` ends the transfer, and the next one
    begins at address 0 again.

    Parameters
    ----------
    width : bits of a word.
    depth : words.
    initial : the words, or None if they are loaded.

    Members
    -------
    addr : In(range(depth)), word to read.
    data : Out(width), the word at the `addr` of the last cycle.
    Only for a loaded memory:
    i : In(stream of {data: 16 bits, last}). open : In(1), chunks are accepted, and no word is read.
    misframed : Out(1), ``last`` is wrong, while its beat is transferred.
    """

    def __init__(self, *, width: int, depth: int, initial: Sequence[int] | None) -> None:
        self._width = width
        self._depth = depth
        self._initial = initial
        members = {"addr": In(range(depth)), "data": Out(width)}
        if initial is None:
            beat = data.StructLayout({"data": CHUNK_BITS, "last": 1})
            members |= {"i": In(stream.Signature(beat)), "open": In(1), "misframed": Out(1)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()

        if self._initial is not None:
            self._read_initial(m, self._initial)
            return m

        # Whole chunks: the last one of a word may be wider than what is left of it.
        chunks = -(-self._width // CHUNK_BITS)
        m.submodules.memory = memory = Memory(
            shape=chunks * CHUNK_BITS, depth=self._depth, init=[], attrs=LOADED_RAM
        )
        read, write = memory.read_port(), memory.write_port(granularity=CHUNK_BITS)
        addr, chunk = Signal(range(self._depth)), Signal(chunks, init=1)
        taken, end = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(self.open),
            taken.eq(self.i.valid & self.open),
            end.eq((addr == self._depth - 1) & chunk[-1]),
            self.misframed.eq(taken & (self.i.payload.last != end)),
            write.addr.eq(Mux(self.open, addr, self.addr)),
            write.data.eq(self.i.payload.data.replicate(chunks)),
            write.en.eq(chunk & taken.replicate(chunks)),
            read.addr.eq(write.addr),
            read.en.eq(~taken),
            self.data.eq(read.data),
        ]
        with m.If(taken):
            m.d.sync += [chunk.eq(Cat(chunk[-1], chunk[:-1])), addr.eq(addr + chunk[-1])]
            with m.If(end):
                m.d.sync += addr.eq(0)

        return m

    def _read_initial(self, m, initial):
        """Block RAM with contents, in one memory or two (see `parts`)."""
        words, first = [], 0
        for n, depth in enumerate(parts(self._depth)):
            memory = Memory(
                shape=self._width,
                depth=depth,
                init=initial[first : first + depth],
                attrs=NO_READ_WRITE_COLLISION,
            )
            m.submodules[f"memory_{n}"] = memory
            read = memory.read_port()
            m.d.comb += read.addr.eq(self.addr)
            words.append(read.data)
            first += depth
        if len(words) == 1:
            m.d.comb += self.data.eq(words[0])
            return
        in_second = Signal()
        m.d.sync += in_second.eq(self.addr[-1])
        m.d.comb += self.data.eq(Mux(in_second, words[1], words[0]))
