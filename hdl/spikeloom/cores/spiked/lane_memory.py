"""Lane memory: codes of many tokens, with one word for all lanes of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.bank_memory import BankMemory
from ...blocks.banks import BankReader, BankRoom
from ...blocks.component import Component
from ...blocks.group_counter import GroupCounter
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import (
    BLOCK_RAM,
    LUT_RAM_DEPTH,
    NO_READ_WRITE_COLLISION,
    has_lut_ram,
    has_output_register,
)
from ...blocks.select import lookup, select

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike

BLOCK_RAM_WIDTH = 36  # bits of a word of block RAM that is written and read


def lane_address(groups: int, length: int, ways: int = 1) -> data.StructLayout:
    """Address of a word: group of tokens, and in each of `ways` parts of a token the index of a
    code; part w holds the codes w, w + ways, w + 2 * ways, ..."""
    index = range(-(-length // ways))
    return data.StructLayout({"index": data.ArrayLayout(index, ways), "group": range(groups)})


class LaneMemory(Component):
    """Buffered transposition: codes are written token by token and read across tokens.

    The `tokens` x `length` codes arrive in beats of `block` codes of a token, ``ceil(length /
    block)`` beats per token, and are read from `lanes` neighbouring tokens at once. The padding of
    a token's last beat is arbitrary, and so are the codes read from lanes beyond the last token.
    One beat per cycle. A read takes a code of each of `ways` parts of the tokens, each with its own
    index.

    Each bank holds a tensor or, with `by_group`, a group of tokens, which is then reserved, read
    and released by itself.

    A token with known codes may be sent as one `i_silent`. Its codes are those of the function
    `silent` or, with `preset`, those of the row sent before token 0.

    Parameters
    ----------
    tokens, length : shape of the tensor.
    lanes : tokens read per cycle.
    block : codes per beat.
    shape : shape of a code.
    banks : banks in the ring.
    by_group : whether a bank holds a group of tokens instead of a tensor.
    ways : parts of a token, 1 or 2.
    delay : cycles from `o.addr` to `o.data`, 1 or 2; the second is a register on the address.
    silent : code of a silent token, as a function of token and index, or None; requires `by_group`
        and a delay of 2.
    preset : whether a row precedes token 0; requires all tokens in one group.
    relaxed : whether what follows `o` leaves time for the output delay of block RAM.
    late : whether registers delay the writes by a cycle, as they go far.

    Members
    -------
    room : In(BankRoom()), reserve before the first beat of each bank.
    i : In(array of `block` codes), i_valid : In(1).
    i_silent : In(1), replaces the beats of a token.
    i_first : Out(1), the next beat is the first of a tensor.
    o : In(BankReader(lane_address(ceil(tokens / lanes), length, ways), array of `ways` arrays of
        `lanes` codes)).
    """

    def __init__(
        self,
        tokens: int,
        length: int,
        *,
        lanes: int,
        block: int,
        shape: ShapeLike,
        banks: int = 2,
        by_group: bool = False,
        ways: int = 1,
        delay: int = 1,
        silent: Any = None,
        preset: bool = False,
        relaxed: bool = False,
        late: bool = False,
    ) -> None:
        self._tokens = tokens
        self._length = length
        self._lanes = lanes
        self._block = block
        self._banks = banks
        self._by_group = by_group
        self._ways = ways
        self._delay = delay
        self._silent = silent
        self._preset = preset
        self._relaxed = relaxed
        self._late = late
        self._groups = -(-tokens // lanes)
        self._code_bits = Shape.cast(shape).width
        codes = data.ArrayLayout(data.ArrayLayout(shape, lanes), ways)
        super().__init__(
            {
                "room": In(BankRoom()),
                "i": In(data.ArrayLayout(shape, block)),
                "i_valid": In(1),
                "i_silent": In(1),
                "i_first": Out(1),
                "o": In(BankReader(lane_address(self._groups, length, ways), codes)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        rows = self._tokens + self._preset
        blocks = -(-self._length // self._block)
        m.submodules.fill = fill = LoopNest(row=rows, block=blocks)
        m.submodules.place = place = GroupCounter(self._tokens, self._lanes)
        preset = (fill.row == 0) & self._preset
        m.d.comb += [
            fill.step.eq(self.i_valid | self.i_silent),
            fill.skip.eq(self.i_silent),
            self.i_first.eq(fill.row_first),
            place.step.eq(self.i_silent | self.i_valid & fill.block_last & ~preset),
        ]

        addr = self.o.addr
        if self._delay == 2:
            addr = Signal.like(self.o.addr, reset_less=True)
            m.d.sync += addr.eq(self.o.addr)
        parts = [
            self._part(m, way, fill, place, preset, addr, platform) for way in range(self._ways)
        ]
        m.d.comb += [self.room.free.eq(parts[0].w.free), self.o.full.eq(parts[0].r.full)]
        if self._silent:
            self._replace_silent(m, parts[0], place, addr)

        return m

    def _part(self, m, way, fill, place, preset, addr, platform):
        """The memory of part `way` of all tokens.

        A word holds the codes of a block that belong to the part, for every lane of a group. A
        block of a single code belongs to one part; the other part has no word for it.
        """
        size, ways = self._block, self._ways
        codes = [self.i[n].as_value() for n in range(size)]
        places = [divmod(n, size) for n in range(way, self._length, ways)]
        places = [(block, n // ways) for block, n in places]
        block, mine, word = fill.block, Const(1), Cat(codes[way::ways])
        if ways > 1 and size == 1:
            places = [(n, 0) for n in range(len(places))]
            block, mine, word = fill.block[1:], fill.block[:1] == way, codes[0]
        elif size % ways:  # the first code of a block belongs to either part
            word = Mux(fill.block[:1], Cat(codes[1 - way :: ways]), word)

        granule_bits = -(-size // ways) * self._code_bits
        depth = (1 if self._by_group else self._groups) << len(block)
        words = self._banks << (depth - 1).bit_length()
        group = [] if self._by_group else [place.group]
        m.submodules[f"memory_{way}" if ways > 1 else "memory"] = memory = BankMemory(
            banks=self._banks,
            depth=depth,
            granules=self._lanes,
            granule_bits=granule_bits,
            behind=self._delay == 2,
            attrs=self._attributes(platform, words, granule_bits),
        )
        granule = Signal(granule_bits, name=f"granule_{way}")
        enables = Signal(self._lanes, name=f"enables_{way}")
        address = Signal.like(memory.w.addr, reset_less=True, name=f"address_{way}")
        close = Signal(name=f"close_{way}")
        domain = m.d.sync if self._late else m.d.comb
        domain += [
            granule.eq(word),
            address.eq(Cat(block, *group)),
            close.eq(place.step & (place.place_last if self._by_group else place.last)),
        ]
        m.d.comb += [
            memory.w.reserve.eq(self.room.reserve),
            memory.w.addr.eq(address),
            memory.w.data.eq(granule.replicate(self._lanes)),
            memory.w.en.eq(enables),
            memory.w.close.eq(close),
        ]
        for n in range(self._lanes):
            domain += enables[n].eq(self.i_valid & mine & (preset | (place.place == n)))
        self._read(m, way, memory, addr, places, len(block))
        return memory

    def _attributes(self, platform, words, granule_bits):
        """Block RAM without LUT RAM, and where LUT RAM of several LUTs a bit costs more than block
        RAM, which is plentiful and has a register behind it."""
        if not has_lut_ram(platform):
            return BLOCK_RAM
        fits = words > LUT_RAM_DEPTH and granule_bits <= BLOCK_RAM_WIDTH
        plenty = self._relaxed and fits and has_output_register(platform)
        return BLOCK_RAM if plenty else NO_READ_WRITE_COLLISION

    def _read(self, m, way, memory, addr, places, block_bits):
        """Read the block that holds the index, then pick the code from it."""
        index = addr.index[way]
        block = Signal(block_bits, name=f"block_{way}")
        slot = Signal(range(-(-self._block // self._ways)), name=f"slot_{way}")
        if places == [(n, 0) for n in range(len(places))]:
            m.d.comb += block.eq(index)
        else:
            m.d.comb += block.eq(lookup([block for block, _ in places], index))
            m.d.sync += slot.eq(lookup([slot for _, slot in places], index))
        group = [] if self._by_group else [addr.group]
        m.d.comb += [
            memory.r.release.eq(self.o.release),
            memory.r.addr.eq(Cat(block, *group)),
        ]
        for n in range(self._lanes):
            word = memory.r.data.word_select(n, len(memory.r.data) // self._lanes)
            codes = [
                word.word_select(k, self._code_bits) for k in range(len(word) // self._code_bits)
            ]
            m.d.comb += self.o.data[way][n].as_value().eq(select(codes, slot))

    def _replace_silent(self, m, memory, place, addr):
        """Replace the code read for silent tokens; the marks of a group are stored by bank."""
        m.submodules.silent = silent = Memory(shape=self._lanes, depth=self._banks, init=[])
        write, read = silent.write_port(), silent.read_port()
        marks = Signal(self._lanes)
        with m.If(place.step):
            m.d.sync += marks.eq(write.data)
        m.d.comb += [
            write.addr.eq(memory.w_bank),
            write.en.eq(place.step),
            read.addr.eq(memory.r_bank),
        ]
        first = lookup([n * self._lanes for n in range(self._groups)], addr.group)
        for n in range(self._lanes):
            m.d.comb += write.data[n].eq(Mux(place.place == n, self.i_silent, marks[n]))
            for way in range(self._ways):
                index = addr.index[way] if self._ways == 1 else Cat(Const(way, 1), addr.index[way])
                code = Signal.like(self.o.data[way][n], name=f"silent_code_{n}_{way}")
                m.d.sync += code.eq(self._silent(first + n, index))
                with m.If(read.data[n]):
                    m.d.comb += self.o.data[way][n].eq(code)


def fill_from_stream(m: Module, lanes: Any, codes: Any) -> None:
    """Fill the memory `lanes` from the stream `codes` of single codes, token by token."""
    m.d.comb += [
        lanes.i.eq(codes.p),
        codes.ready.eq(~lanes.i_first | lanes.room.free),
        lanes.i_valid.eq(codes.valid & codes.ready),
        lanes.room.reserve.eq(lanes.i_valid & lanes.i_first),
    ]
