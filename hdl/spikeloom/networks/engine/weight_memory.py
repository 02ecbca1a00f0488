"""Memory of weights: initialised by the bitstream, or loaded by a stream."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import LOADED_RAM, NO_READ_WRITE_COLLISION
from ...blocks.pipeline import Pipeline
from ..engine_limits import CHUNK_BITS
from .bitmap_memory import parts
from .bitmaps import padded

BLOCK_WORDS = 512  # of a block RAM at its largest width


class WeightMemory(Component):
    """Words of weights, one row of the weight matrix for one group of outputs each.

    A loaded memory has one port for reads and writes. Synthesis maps it to the large single-port
    RAM, if the device has it, which the bitstream cannot initialise. Words arrive in chunks of 16
    bits, lowest first, in the order of addresses; ``last`` ends the transfer, and the next one
    begins at address 0 again.

    An initialised memory often has block RAM left, as that is deep. The attention state can be
    there: an entry reads either weights or the state, so one read port serves both.

    Parameters
    ----------
    width : bits of a word.
    depth : words.
    initial : the words, or None if they are loaded.
    read_delay : cycles of a read, 1 or 2; with 2, the output registers of block RAM can be used.
    state_words : words of the attention state, only where `holds` them; 0 without.

    Members
    -------
    addr : In(range(depth)), word to read.
    data : Out(width), the word at the `addr` of `read_delay` cycles before.
    Only for a loaded memory:
    i : In(stream of {data: 16 bits, last}). open : In(1), chunks are accepted, and no word is read.
    misframed : Out(1), ``last`` is wrong, while its beat is transferred.
    Only with a state:
    from_state : In(1), read the word `s_addr` of the state instead.
    s_addr : In(range(state_words)).
    s_en : In(1), s_w_addr : In(range(state_words)), s_data : In(width), write a word of the state.
    """

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        initial: Sequence[int] | None,
        read_delay: int = 1,
        state_words: int = 0,
    ) -> None:
        self._width = width
        self._depth = depth
        self._initial = initial
        self._read_delay = read_delay
        self._state_words = state_words
        members = {"addr": In(range(depth)), "data": Out(width)}
        if initial is None:
            beat = data.StructLayout({"data": CHUNK_BITS, "last": 1})
            members |= {"i": In(stream.Signature(beat)), "open": In(1), "misframed": Out(1)}
        if state_words:
            members |= {
                "from_state": In(1),
                "s_addr": In(range(state_words)),
                "s_en": In(1),
                "s_w_addr": In(range(state_words)),
                "s_data": In(width),
            }
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
            self.data.eq(Pipeline(m).delay(read.data, self._read_delay - 1, "word")),
        ]
        with m.If(taken):
            m.d.sync += [chunk.eq(Cat(chunk[-1], chunk[:-1])), addr.eq(addr + chunk[-1])]
            with m.If(end):
                m.d.sync += addr.eq(0)

        return m

    def _read_initial(self, m, initial):
        """Block RAM with contents, in one memory or two (see `parts`); the state is at the end of
        the second one."""
        pipeline = Pipeline(m)
        words, first = [], 0
        depths = parts(self._depth)
        for n, depth in enumerate(depths):
            contents = initial[first : first + depth]
            with_state = bool(self._state_words) and n == len(depths) - 1
            memory = Memory(
                shape=self._width,
                depth=padded(depth, BLOCK_WORDS) if with_state else depth,
                init=contents,
                attrs=NO_READ_WRITE_COLLISION,
            )
            m.submodules[f"memory_{n}"] = memory
            read = memory.read_port()
            m.d.comb += read.addr.eq(self.addr[:-1] if len(depths) > 1 else self.addr)
            if with_state:
                self._add_state(m, memory, read)
            words.append(pipeline.delay(read.data, self._read_delay - 1, f"word_{n}"))
            first += depth
        if len(words) == 1:
            m.d.comb += self.data.eq(words[0])
            return
        second = self.addr[-1] | (self.from_state if self._state_words else 0)
        in_second = pipeline.delay(second, self._read_delay, "in_second")
        m.d.comb += self.data.eq(Mux(in_second, words[1], words[0]))

    def _add_state(self, m, memory, read):
        """The state, at the highest addresses of `memory`: its address below ones."""
        write = memory.write_port()
        ones = Const(-1, len(read.addr) - len(self.s_addr))
        with m.If(self.from_state):
            m.d.comb += read.addr.eq(Cat(self.s_addr, ones))
        m.d.comb += [
            write.en.eq(self.s_en),
            write.addr.eq(Cat(self.s_w_addr, ones)),
            write.data.eq(self.s_data),
        ]


def holds(depth: int, state_words: int) -> bool:
    """Whether an initialised memory of `depth` words has block RAM left for a state: in its second
    part (see `parts`), whose block RAM has more words than that."""
    span = 1 << (state_words - 1).bit_length()
    return len(parts(depth)) > 1 and span <= -parts(depth)[-1] % BLOCK_WORDS
