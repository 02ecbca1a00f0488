"""A stream source that reads from ROM."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out

from spikeloom.blocks.component import Component
from spikeloom.blocks.loop_nest import LoopNest

WORD_BITS = 16  # block RAM of every family supports this width


class RomStream(Component):
    """Repeats recorded beats, each assembled from ROM words of at most 16 bits.

    Parameters
    ----------
    beats : list of (data, last); every tensor in it has the same number of beats.
    bits : width of a beat's data.

    Members
    -------
    o : Out(stream of {data, last}).
    """

    def __init__(self, beats: Sequence[tuple[int, int]], bits: int) -> None:
        self._beats = beats
        self._bits = bits
        payload = data.StructLayout({"data": bits, "last": 1})
        super().__init__({"o": Out(stream.Signature(payload))})

    def elaborate(self, platform):
        m = Module()

        word_bits = min(WORD_BITS, self._bits)
        words = -(-self._bits // word_bits)
        stride = 1 << (words - 1).bit_length()
        content = [
            value >> word_bits * n & (2**word_bits - 1)
            for value, _ in self._beats
            for n in range(stride)
        ]
        m.submodules.memory = memory = Memory(shape=word_bits, depth=len(content), init=content)
        read = memory.read_port()

        # All tensors have the same length, so `last` is counted, not stored.
        tensor = 1 + next(n for n, (_, last) in enumerate(self._beats) if last)
        m.submodules.words = word = LoopNest(beat=len(self._beats), word=words)
        m.submodules.sent = sent = LoopNest(beat=tensor)
        row = Signal(words * word_bits)
        m.d.comb += [
            read.addr.eq(Cat(word.word, word.beat) if words > 1 else word.beat),
            self.o.payload.data.eq(row),
            self.o.payload.last.eq(sent.beat_last),
        ]

        with m.FSM():
            with m.State("fetch"):
                m.next = "gather"
            with m.State("gather"):
                m.d.comb += word.step.eq(1)
                m.d.sync += row.eq(Cat(row, read.data)[word_bits:])
                m.next = "fetch"
                with m.If(word.word_last):
                    m.next = "offer"
            with m.State("offer"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.comb += sent.step.eq(1)
                    m.next = "fetch"

        return m
