"""Lane memory: codes of many tokens, with one word for all lanes of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.bank_memory import BankMemory
from ...blocks.banks import BankReader, BankRoom
from ...blocks.component import Component
from ...blocks.group_counter import GroupCounter
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import BLOCK_RAM, NO_READ_WRITE_COLLISION, has_lut_ram
from ...blocks.select import lookup, select

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike


def lane_address(groups: int, length: int) -> data.StructLayout:
    """Address of a word: group of tokens, and index of the code within a token."""
    return data.StructLayout({"index": range(length), "group": range(groups)})


class LaneMemory(Component):
    """Buffered transposition: codes are written token by token and read across tokens.

    The `tokens` x `length` codes arrive in beats of `block` codes of a token, ``ceil(length /
    block)`` beats per token, and are read from `lanes` neighbouring tokens at once. The padding of
    a token's last beat is arbitrary, and so are the codes read from lanes beyond the last token.
    One beat per cycle.

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
    delay : cycles from `o.addr` to `o.data`, 1 or 2; the second is a register on the address.
    silent : code of a silent token, as a function of token and index, or None; requires `by_group`
        and a delay of 2.
    preset : whether a row precedes token 0; requires all tokens in one group.

    Members
    -------
    room : In(BankRoom()), reserve before the first beat of each bank.
    i : In(array of `block` codes), i_valid : In(1).
    i_silent : In(1), replaces the beats of a token.
    i_first : Out(1), the next beat is the first of a tensor.
    o : In(BankReader(lane_address(ceil(tokens / lanes), length), array of `lanes` codes)).
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
        delay: int = 1,
        silent: Any = None,
        preset: bool = False,
    ) -> None:
        self._tokens = tokens
        self._length = length
        self._lanes = lanes
        self._block = block
        self._banks = banks
        self._by_group = by_group
        self._delay = delay
        self._silent = silent
        self._preset = preset
        self._groups = -(-tokens // lanes)
        super().__init__(
            {
                "room": In(BankRoom()),
                "i": In(data.ArrayLayout(shape, block)),
                "i_valid": In(1),
                "i_silent": In(1),
                "i_first": Out(1),
                "o": In(
                    BankReader(lane_address(self._groups, length), data.ArrayLayout(shape, lanes))
                ),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # A word holds a block of codes for every lane of a group.
        blocks = -(-self._length // self._block)
        block_bits = (blocks - 1).bit_length()
        code_bits = len(self.o.data.as_value()) // self._lanes
        m.submodules.memory = memory = BankMemory(
            banks=self._banks,
            depth=(1 if self._by_group else self._groups) << block_bits,
            granules=self._lanes,
            granule_bits=self._block * code_bits,
            behind=self._delay == 2,
            attrs=NO_READ_WRITE_COLLISION if has_lut_ram(platform) else BLOCK_RAM,
        )

        rows = self._tokens + self._preset
        m.submodules.fill = fill = LoopNest(row=rows, block=blocks)
        m.submodules.place = place = GroupCounter(self._tokens, self._lanes)
        preset = (fill.row == 0) & self._preset
        group = [] if self._by_group else [place.group]
        m.d.comb += [
            self.room.free.eq(memory.w.free),
            memory.w.reserve.eq(self.room.reserve),
            fill.step.eq(self.i_valid | self.i_silent),
            fill.skip.eq(self.i_silent),
            self.i_first.eq(fill.row_first),
            place.step.eq(self.i_silent | self.i_valid & fill.block_last & ~preset),
            memory.w.addr.eq(Cat(fill.block[:block_bits], *group)),
            memory.w.data.eq(self.i.as_value().replicate(self._lanes)),
            memory.w.close.eq(place.step & (place.place_last if self._by_group else place.last)),
        ]
        for n in range(self._lanes):
            m.d.comb += memory.w.en[n].eq(self.i_valid & (preset | (place.place == n)))

        self._read(m, memory, blocks, place)
        return m

    def _read(self, m, memory, blocks, place):
        """Read the block that holds the index, then pick the code from it."""
        addr = self.o.addr
        if self._delay == 2:
            addr = Signal.like(self.o.addr, reset_less=True)
            m.d.sync += addr.eq(self.o.addr)
        code_bits = len(self.o.data.as_value()) // self._lanes
        block, part = addr.index, Signal(0)
        if self._block > 1:
            parts = [divmod(n, self._block) for n in range(self._length)]
            block = lookup([block for block, _ in parts], addr.index)
            part = Signal(range(self._block))
            m.d.sync += part.eq(lookup([part for _, part in parts], addr.index))
        group = [] if self._by_group else [addr.group]
        m.d.comb += [
            self.o.full.eq(memory.r.full),
            memory.r.release.eq(self.o.release),
            memory.r.addr.eq(Cat(block[: (blocks - 1).bit_length()], *group)),
        ]
        for n in range(self._lanes):
            word = memory.r.data.word_select(n, self._block * code_bits)
            codes = [word.word_select(k, code_bits) for k in range(self._block)]
            m.d.comb += self.o.data[n].as_value().eq(select(codes, part))

        if self._silent:
            self._replace_silent(m, memory, place, addr)

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
            code = Signal.like(self.o.data[n], name=f"silent_code_{n}")
            m.d.comb += write.data[n].eq(Mux(place.place == n, self.i_silent, marks[n]))
            m.d.sync += code.eq(self._silent(first + n, addr.index))
            with m.If(read.data[n]):
                m.d.comb += self.o.data[n].eq(code)


def fill_from_stream(m: Module, lanes: Any, codes: Any) -> None:
    """Fill the memory `lanes` from the stream `codes` of single codes, token by token."""
    m.d.comb += [
        lanes.i.eq(codes.p),
        codes.ready.eq(~lanes.i_first | lanes.room.free),
        lanes.i_valid.eq(codes.valid & codes.ready),
        lanes.room.reserve.eq(lanes.i_valid & lanes.i_first),
    ]
