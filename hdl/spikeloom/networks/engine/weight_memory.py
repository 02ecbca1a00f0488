"""Memory of weights: initialised by the bitstream, or loaded by a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import LOADED_RAM, NO_READ_WRITE_COLLISION
from ...blocks.pipeline import Pipeline
from ..engine_limits import CHUNK_BITS
from .bitmap_memory import parts
from .bitmaps import padded

if TYPE_CHECKING:
    from amaranth.lib.wiring import Member

BLOCK_WORDS = 512  # of a block RAM at its largest width


class WeightReader(wiring.Signature):
    """A read port of a `WeightMemory`, as seen by the side that reads.

    Parameters
    ----------
    width, depth, state_words : of the memory.

    Members
    -------
    addr : Out(range(depth)), word to read.
    data : In(width), the word at the `addr` of `read_delay` cycles before.
    Only with a state:
    from_state : Out(1), read the word `s_addr` of the state instead.
    s_addr : Out(range(state_words)).
    s_en : Out(1), s_w_addr : Out(range(state_words)), s_data : Out(width), write a word of the
        state.
    """

    def __init__(self, *, width: int, depth: int, state_words: int = 0) -> None:
        state = {
            "from_state": Out(1),
            "s_addr": Out(range(state_words)),
            "s_en": Out(1),
            "s_w_addr": Out(range(state_words)),
            "s_data": Out(width),
        }
        super().__init__(
            {"addr": Out(range(depth)), "data": In(width), **(state if state_words else {})}
        )


class WeightMemory(Component):
    """Words of weights, one row of the weight matrix for one group of outputs each.

    A loaded memory has one port for reads and writes. Synthesis maps it to the large single-port
    RAM, if the device has it, which the bitstream cannot initialise. Words arrive in chunks of 16
    bits, lowest first, in the order of addresses; ``last`` ends the transfer, and the next one
    begins at address 0 again.

    An initialised memory often has block RAM left, as that is deep. The attention state can be
    there: an entry reads either weights or the state, so one read port serves both.

    Two readers share an initialised memory. Block RAM has two ports, so that each reader has one of
    its own, and each word is stored once, as far as `shared_parts` says.

    Parameters
    ----------
    width : bits of a word.
    depth : words.
    initial : the words, or None if they are loaded.
    read_delay : cycles of a read, 1 or 2; with 2, the output registers of block RAM can be used.
    state_words : words of the attention state, only where `holds` them; 0 without.
    readers : 1, or 2 of an initialised memory, each with a state of its own.

    Members
    -------
    the members of a `WeightReader`, for one reader.
    readers : In(WeightReader()).array(2), for two readers.
    Only for a loaded memory:
    i : In(stream of {data: 16 bits, last}). open : In(1), chunks are accepted, and no word is read.
    misframed : Out(1), ``last`` is wrong, while its beat is transferred.
    """

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        initial: Sequence[int] | None,
        read_delay: int = 1,
        state_words: int = 0,
        readers: int = 1,
    ) -> None:
        self._width = width
        self._depth = depth
        self._initial = initial
        self._read_delay = read_delay
        self._state_words = state_words
        self._readers = readers
        reader = WeightReader(width=width, depth=depth, state_words=state_words)
        members: dict[str, Member] = dict(reader.flip().members.items())
        if readers > 1:
            members = {"readers": In(reader).array(readers)}
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
        readers = [self] if self._readers == 1 else self.readers
        words, first = [[] for _ in readers], 0
        depths = parts(self._depth)
        for n, (depth, shared) in enumerate(shared_parts(self._depth, self._state_words)):
            with_state = bool(self._state_words) and n == len(depths) - 1
            memory = None
            for number, reader in enumerate(readers):
                if memory is None or not shared:
                    memory = Memory(
                        shape=self._width,
                        depth=padded(depth, BLOCK_WORDS) if with_state else depth,
                        init=initial[first : first + depth],
                        attrs=NO_READ_WRITE_COLLISION,
                    )
                    m.submodules[_numbered(f"memory_{n}", number)] = memory
                read = memory.read_port()
                m.d.comb += read.addr.eq(reader.addr[:-1] if len(depths) > 1 else reader.addr)
                if with_state:
                    self._add_state(m, reader, memory, read)
                word = Pipeline(m).delay(
                    read.data, self._read_delay - 1, _numbered(f"word_{n}", number)
                )
                words[number].append(word)
            first += depth
        for number, reader in enumerate(readers):
            self._choose(m, reader, words[number], _numbered("in_second", number))

    def _choose(self, m, reader, words, name):
        """The word for a reader, of those that its memories give."""
        if len(words) == 1:
            m.d.comb += reader.data.eq(words[0])
            return
        second = reader.addr[-1] | (reader.from_state if self._state_words else 0)
        in_second = Pipeline(m).delay(second, self._read_delay, name)
        m.d.comb += reader.data.eq(Mux(in_second, words[1], words[0]))

    def _add_state(self, m, reader, memory, read):
        """The state, at the end of `memory`, whose depth is a multiple of the state's span."""
        write = memory.write_port()
        low_bits = len(reader.s_addr)
        high = Const((memory.depth >> low_bits) - 1, len(read.addr) - low_bits)
        with m.If(reader.from_state):
            m.d.comb += read.addr.eq(Cat(reader.s_addr, high))
        m.d.comb += [
            write.en.eq(reader.s_en),
            write.addr.eq(Cat(reader.s_w_addr, high)),
            write.data.eq(reader.s_data),
        ]


def shared_parts(depth: int, state_words: int) -> list[tuple[int, bool]]:
    """The depth of each part of an initialised memory, and whether two readers share it. A block
    RAM with two read ports is half as wide and twice as deep as one with a port of its own for
    writing, so that a part of few words is not worth it."""
    found = [(part, part > BLOCK_WORDS) for part in parts(depth)]
    return [*found[:-1], (found[-1][0], found[-1][1] and not state_words)]


def _numbered(name: str, number: int) -> str:
    """The name of something that each reader has."""
    return f"{name}_{number}" if number else name


def holds(depth: int, state_words: int) -> bool:
    """Whether an initialised memory of `depth` words has block RAM left for a state: in its second
    part (see `parts`), whose block RAM has more words than that."""
    span = 1 << (state_words - 1).bit_length()
    return len(parts(depth)) > 1 and span <= -parts(depth)[-1] % BLOCK_WORDS
