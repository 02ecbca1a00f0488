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
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import BLOCK_RAM
from .lookup import lookup, select

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike


def lane_address(groups: int, length: int) -> data.StructLayout:
    """Address of a word: group of tokens, and index of the code within a token."""
    return data.StructLayout({"index": range(length), "group": range(groups)})


class LaneMemory(Component):
    """Double-buffered transposition: codes are written token by token and read across tokens.

    The `tokens` x `length` codes arrive in beats of `block` codes of a token, ``ceil(length /
    block)`` beats per token, and are read from `lanes` neighbouring tokens at once. The padding of
    a token's last beat is arbitrary, and so are the codes read from lanes beyond the last token.
    One beat per cycle.

    A token with known codes may be sent as one `i_silent`. Its codes are those of the function
    `silent` or, with `preset`, those of the row sent before token 0.

    Parameters
    ----------
    tokens, length : shape of the tensor.
    lanes : tokens read per cycle.
    block : codes per beat.
    shape : shape of a code.
    silent : code of a silent token, as a function of token and index; or None.
    preset : whether a row precedes token 0; requires all tokens in one group.

    Members
    -------
    room : In(BankRoom()), reserve before the first beat of each tensor.
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
        silent: Any = None,
        preset: bool = False,
    ) -> None:
        self._tokens = tokens
        self._length = length
        self._lanes = lanes
        self._block = block
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
            banks=2,
            depth=self._groups << block_bits,
            granules=self._lanes,
            granule_bits=self._block * code_bits,
        )

        rows = self._tokens + self._preset
        m.submodules.fill = fill = LoopNest(row=rows, block=blocks)
        preset = (fill.row == 0) & self._preset
        group = Signal(range(self._groups))
        lane = Signal(range(self._lanes))
        m.d.comb += [
            self.room.free.eq(memory.w.free),
            memory.w.reserve.eq(self.room.reserve),
            fill.step.eq(self.i_valid | self.i_silent),
            fill.skip.eq(self.i_silent),
            self.i_first.eq(fill.row_first),
            memory.w.addr.eq(Cat(fill.block[:block_bits], group)),
            memory.w.data.eq(self.i.as_value().replicate(self._lanes)),
            memory.w.close.eq(fill.step & fill.row_last),
        ]
        for n in range(self._lanes):
            m.d.comb += memory.w.en[n].eq(self.i_valid & (preset | (lane == n)))
        behind = self.i_silent | self.i_valid & fill.block_last & ~preset
        with m.If(behind):
            wraps = (lane == self._lanes - 1) | fill.row_last
            m.d.sync += lane.eq(Mux(wraps, 0, lane + 1))
            if self._groups > 1:
                m.d.sync += group.eq(Mux(fill.row_last, 0, group + wraps))

        # Read the block that holds the index, then pick the code from it.
        index, place = self.o.addr.index, Signal(0)
        block = index
        if self._block > 1:
            places = [divmod(n, self._block) for n in range(self._length)]
            block = lookup([block for block, _ in places], index)
            place = Signal(range(self._block))
            m.d.sync += place.eq(lookup([place for _, place in places], index))
        m.d.comb += [
            self.o.full.eq(memory.r.full),
            memory.r.release.eq(self.o.release),
            memory.r.addr.eq(Cat(block[:block_bits], self.o.addr.group)),
        ]
        for n in range(self._lanes):
            word = memory.r.data.word_select(n, self._block * code_bits)
            codes = [word.word_select(part, code_bits) for part in range(self._block)]
            m.d.comb += self.o.data[n].as_value().eq(select(codes, place))

        if self._silent:
            self._replace_silent(m, memory, group, lane, behind)
        return m

    def _replace_silent(self, m, memory, group, lane, behind):
        """Replace the code read for silent tokens.

        `behind` is high after each token of `lane` and `group`, when it is known whether it was
        silent. The marks of a group are stored in banks like those of `memory`.
        """
        m.submodules.silent = silent = Memory(
            shape=self._lanes, depth=2 << len(group), init=[], attrs=BLOCK_RAM
        )
        write, read = silent.write_port(), silent.read_port()
        marks = Signal(self._lanes)
        with m.If(behind):
            m.d.sync += marks.eq(write.data)
        m.d.comb += [
            write.addr.eq(Cat(group, memory.w_bank)),
            write.en.eq(behind),
            read.addr.eq(Cat(self.o.addr.group, memory.r_bank)),
        ]
        first = lookup([n * self._lanes for n in range(self._groups)], self.o.addr.group)
        for n in range(self._lanes):
            code = Signal.like(self.o.data[n], name=f"silent_code_{n}")
            m.d.comb += write.data[n].eq(Mux(lane == n, self.i_silent, marks[n]))
            m.d.sync += code.eq(self._silent(first + n, self.o.addr.index))
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
