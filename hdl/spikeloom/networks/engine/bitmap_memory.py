"""Memory of spikes between layers, and of the image."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import NO_READ_WRITE_COLLISION
from ...blocks.pieces import piece
from ...blocks.pipeline import Pipeline
from .operation import PIECE_BITS


def word_bits(lanes: int) -> int:
    """Bits of a word: a group of outputs, or several."""
    return max(lanes, PIECE_BITS)


class BitmapMemory(Component):
    """Bits in words of `word_bits`, read by pieces of 16 bits, written by groups of lanes.

    Block RAM of the iCE40 has a write enable for each bit, so a group can clear bits without
    reading them. Elsewhere the memory is doubled, and a word is read before it is written, which
    takes one more cycle. This class alone knows the difference.

    Parameters
    ----------
    lanes : outputs of a group, a power of two, at least 4.
    depth : words.
    bit_enables : whether the block RAM has a write enable for each bit.

    Members
    -------
    r_addr : In, address of a piece. r_en : In(1), read.
    r_data : Out(16), the piece at the `r_addr` of the last cycle with `r_en`.
    w_en : In(1), write a group. w_clear : In(1), clear the bits that are set in `w_data`, rather
        than store it.
    w_addr : In(range(depth)), w_slot : In, the word and the group in it. w_data : In(lanes).
    i_en : In(1), write a piece of the image. i_ready : Out(1), it is written in this cycle; low
        while a group is written.
    i_addr : In, address of the piece. i_data : In(16).
    """

    write_delay = 2  # cycles from `w_en` until the data can be read, at most

    def __init__(self, *, lanes: int, depth: int, bit_enables: bool) -> None:
        self._lanes = lanes
        self._depth = depth
        self._bit_enables = bit_enables
        self._word_bits = word_bits(lanes)
        pieces = self._word_bits // PIECE_BITS
        super().__init__(
            {
                "r_addr": In(range(depth * pieces)),
                "r_en": In(1),
                "r_data": Out(PIECE_BITS),
                "w_en": In(1),
                "w_clear": In(1),
                "w_addr": In(range(depth)),
                "w_slot": In(range(self._word_bits // lanes)),
                "w_data": In(lanes),
                "i_en": In(1),
                "i_ready": Out(1),
                "i_addr": In(range(depth * pieces)),
                "i_data": In(PIECE_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        pieces = self._word_bits // PIECE_BITS

        m.submodules.memory = memory = Memory(
            shape=self._word_bits, depth=self._depth, init=[], attrs=NO_READ_WRITE_COLLISION
        )
        read = memory.read_port()
        part_bits = (pieces - 1).bit_length()
        part = Signal(part_bits, reset_less=True)
        m.d.comb += [
            read.addr.eq(self.r_addr[part_bits:]),
            read.en.eq(self.r_en),
            self.r_data.eq(piece(read.data, PIECE_BITS, part) if pieces > 1 else read.data),
        ]
        with m.If(self.r_en):
            m.d.sync += part.eq(self.r_addr[:part_bits])

        # A write of a group, or of a piece of the image: word, data, and which granules.
        granule = min(self._lanes, PIECE_BITS)
        group = Cat(
            (self.w_slot == n).replicate(self._lanes // granule)
            for n in range(self._word_bits // self._lanes)
        )
        image = Cat(
            (self.i_addr[:part_bits] == n).replicate(PIECE_BITS // granule) for n in range(pieces)
        )
        image_word = self.i_addr[part_bits:]
        if self._bit_enables:
            self._write_bits(m, memory, group, image, image_word)
        else:
            self._write_granules(m, memory, group, image, image_word)

        return m

    def _write_bits(self, m, memory, group, image, image_word):
        """Write at once, with an enable for each bit."""
        write = memory.write_port(granularity=1)
        slots = self._word_bits // self._lanes
        clear = self.w_clear.replicate(self._lanes)
        granule = self._word_bits // len(group)
        m.d.comb += [
            self.i_ready.eq(~self.w_en),
            write.addr.eq(Mux(self.w_en, self.w_addr, image_word)),
            write.data.eq(self.i_data.replicate(self._word_bits // PIECE_BITS)),
            write.en.eq(Cat((bit & self.i_en).replicate(granule) for bit in image)),
        ]
        with m.If(self.w_en):
            m.d.comb += [
                write.data.eq((self.w_data & ~clear).replicate(slots)),
                write.en.eq(
                    (self.w_data | ~clear).replicate(slots)
                    & Cat(bit.replicate(granule) for bit in group)
                ),
            ]

    def _write_granules(self, m, memory, group, image, image_word):
        """Read the word of a group in one cycle, and write it in the next."""
        write = memory.write_port(granularity=self._word_bits // len(group))
        old = memory.read_port()
        late = Pipeline(m)
        en = late.register(self.w_en, "late_en", reset_less=False)
        clear, addr = late.register(self.w_clear, "late_clear"), late.register(self.w_addr, "late_addr")
        data, group = late.register(self.w_data, "late_data"), late.register(group, "late_group")
        data = data.replicate(self._word_bits // self._lanes)
        m.d.comb += [
            self.i_ready.eq(~en),
            old.addr.eq(self.w_addr),
            write.addr.eq(Mux(en, addr, image_word)),
            write.data.eq(self.i_data.replicate(self._word_bits // PIECE_BITS)),
            write.en.eq(image & self.i_en.replicate(len(image))),
        ]
        with m.If(en):
            m.d.comb += [
                write.data.eq(Mux(clear, old.data & ~data, data)),
                write.en.eq(group),
            ]
