"""Memory of spikes between layers, and of the image."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal
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


def parts(depth: int) -> list[int]:
    """Depths of the memories that hold `depth` words: a power of two, and what is left.

    Yosys rounds the number of block RAMs of one memory up further than that of two.
    """
    first = 1 << (depth.bit_length() - 1)
    return [first, depth - first] if depth > first else [depth]


class BitmapMemory(Component):
    """Bits in words of `word_bits`, read by pieces of 16 bits, written by groups of lanes, or by
    the lanes of one head.

    Where block RAM has a write enable for each bit, a group can clear bits without reading them.
    Elsewhere a second memory has a copy of the words that may be cleared, and such a word is read
    before it is written, which takes one more cycle; bits may be cleared `write_delay` cycles after
    they were written. This class alone knows the difference.

    Parameters
    ----------
    lanes : outputs of a group, a power of two, at least 4.
    slot_bits : bits of a slot, which is the smallest part that is written: the lanes of a head, or
        all.
    depth : words.
    bit_enables : whether the block RAM has a write enable for each bit.
    cleared : the words in which bits are cleared (default: all).
    contents : the first words, before anything is written; the others are 0.
    read_delay : cycles of a read, 1 or 2; with 2, the output registers of block RAM can be used.

    Members
    -------
    r_addr : In, address of a piece. r_en : In(1), read.
    r_data : Out(16), the piece at the `r_addr` of `read_delay` cycles with `r_en` before.
    w_en : In(1), write a group. w_clear : In(1), clear the bits that are set in `w_data`, rather
        than store it.
    w_addr : In(range(depth)), w_slot : In, the word and the slot in it. w_data : In(lanes).
    w_wide : In(1), only with several slots in a group: all of them are written, rather than one,
        whose bits are the lowest of `w_data`.
    i_en : In(1), write a piece of the image. i_ready : Out(1), it is written in this cycle; low
        while a group is written.
    i_addr : In, address of the piece. i_data : In(16).
    """

    write_delay = 3  # cycles from `w_en` until the data can be read, at most

    def __init__(
        self,
        *,
        lanes: int,
        depth: int,
        bit_enables: bool,
        slot_bits: int | None = None,
        cleared: range | None = None,
        contents: Sequence[int] = (),
        read_delay: int = 1,
    ) -> None:
        self._read_delay = read_delay
        self._contents = contents
        self._cleared = range(depth) if cleared is None else cleared
        self._slot_bits = slot_bits or lanes
        self._several = self._slot_bits < lanes
        self._depth = depth
        self._bit_enables = bit_enables
        self._word_bits = word_bits(lanes)
        pieces = self._word_bits // PIECE_BITS
        super().__init__(
            {
                **({"w_wide": In(1)} if self._several else {}),
                "r_addr": In(range(depth * pieces)),
                "r_en": In(1),
                "r_data": Out(PIECE_BITS),
                "w_en": In(1),
                "w_clear": In(1),
                "w_addr": In(range(depth)),
                "w_slot": In(range(self._word_bits // self._slot_bits)),
                "w_data": In(lanes),
                "i_en": In(1),
                "i_ready": Out(1),
                "i_addr": In(range(depth * pieces)),
                "i_data": In(PIECE_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()

        memories = self._memories(m, self._depth, "memory", self._contents)
        pieces = self._word_bits // PIECE_BITS
        piece_bits = (pieces - 1).bit_length()
        word = self._read(m, memories, self.r_addr[piece_bits:], self.r_en, self._read_delay)
        chosen = Pipeline(m, self.r_en).delay(self.r_addr[:piece_bits], self._read_delay, "piece")
        m.d.comb += self.r_data.eq(piece(word, PIECE_BITS, chosen) if pieces > 1 else word)

        # A write of a group, or of a piece of the image: which granules, and the word.
        granule = min(self._slot_bits, PIECE_BITS)
        slots = self._word_bits // self._slot_bits
        group = Cat((self.w_slot == n).replicate(self._slot_bits // granule) for n in range(slots))
        spikes = self.w_data[: self._slot_bits].replicate(slots)
        if self._several:
            group = group | self.w_wide.replicate(len(group))
            spikes = Mux(self.w_wide, self.w_data, spikes)
        image = Cat(
            (self.i_addr[:piece_bits] == n).replicate(PIECE_BITS // granule) for n in range(pieces)
        )
        image_word = self.i_addr[piece_bits:]
        if self._bit_enables:
            self._write_bits(m, memories, group, spikes, image, image_word)
        else:
            self._write_granules(m, memories, group, spikes, image, image_word)

        return m

    def _memories(self, m, depth, name, contents=()):
        """Memories that hold `depth` words."""
        memories = []
        for n, part in enumerate(parts(depth)):
            memory = Memory(
                shape=self._word_bits,
                depth=part,
                init=contents[:part],
                attrs=NO_READ_WRITE_COLLISION,
            )
            contents = contents[part:]
            m.submodules[f"{name}_{n}"] = memory
            memories.append(memory)
        return memories

    def _read(self, m, memories, addr, enable, delay=1):
        """The word at `addr`, `delay` cycles with `enable` later."""
        ports = [memory.read_port() for memory in memories]
        pipeline = Pipeline(m, enable)
        words = []
        for n, port in enumerate(ports):
            m.d.comb += [port.addr.eq(addr), port.en.eq(enable)]
            words.append(pipeline.delay(port.data, delay - 1, f"word_{n}"))
        if len(ports) == 1:
            return words[0]
        in_second = pipeline.delay(addr[len(ports[0].addr)], delay, "in_second")
        return Mux(in_second, words[1], words[0])

    def _write(self, m, memories, granularity, copies=()):
        """Signals that are written one cycle later: address, data, enables. `copies` have the words
        that may be cleared, each at the low bits of its address."""
        addr = Signal(range(self._depth), name="write_addr")
        data = Signal(self._word_bits, name="write_data")
        enables = Signal(self._word_bits // granularity, name="write_enables")
        written = Pipeline(m)
        late_addr, late_data = written.register(addr, "addr"), written.register(data, "data")
        cleared = (addr >= self._cleared.start) & (addr < self._cleared.stop)
        for group, name in ((memories, "enables"), (copies, "copied")):
            ports = [memory.write_port(granularity=granularity) for memory in group]
            for n, port in enumerate(ports):
                here = Const(1) if len(ports) == 1 else addr[len(ports[0].addr)] == n
                if group is copies:
                    here = here & cleared
                enabled = enables & here.replicate(len(enables))
                m.d.comb += [
                    port.addr.eq(late_addr),
                    port.data.eq(late_data),
                    port.en.eq(written.register(enabled, f"{name}_{n}", reset_less=False)),
                ]
        return addr, data, enables

    def _write_bits(self, m, memories, group, spikes, image, image_word):
        """Write with an enable for each bit."""
        addr, data, enables = self._write(m, memories, 1)
        clear = self.w_clear.replicate(self._word_bits)
        granule = self._word_bits // len(group)
        m.d.comb += [
            self.i_ready.eq(~self.w_en),
            addr.eq(Mux(self.w_en, self.w_addr, image_word)),
            data.eq(self.i_data.replicate(self._word_bits // PIECE_BITS)),
            enables.eq(Cat((bit & self.i_en).replicate(granule) for bit in image)),
        ]
        with m.If(self.w_en):
            m.d.comb += [
                data.eq(spikes & ~clear),
                enables.eq((spikes | ~clear) & Cat(bit.replicate(granule) for bit in group)),
            ]

    def _write_granules(self, m, memories, group, spikes, image, image_word):
        """Read the word of a group in one cycle, and write it in the next."""
        granularity, count = self._word_bits // len(group), len(self._cleared)
        old, copies = Const(0, self._word_bits), []
        if count:
            copies = self._memories(m, 1 << (count - 1).bit_length(), "copy")
            old = self._read(m, copies, self.w_addr, Const(1))
        addr, data, enables = self._write(m, memories, granularity, copies)
        late = Pipeline(m)
        en = late.register(self.w_en, "late_en", reset_less=False)
        late_addr = late.register(self.w_addr, "late_addr")
        clear = late.register(self.w_clear, "late_clear")
        spikes, group = late.register(spikes, "late_data"), late.register(group, "late_group")
        m.d.comb += [
            self.i_ready.eq(~en),
            addr.eq(Mux(en, late_addr, image_word)),
            data.eq(self.i_data.replicate(self._word_bits // PIECE_BITS)),
            enables.eq(image & self.i_en.replicate(len(image))),
        ]
        with m.If(en):
            m.d.comb += [data.eq(Mux(clear, old & ~spikes, spikes)), enables.eq(group)]
