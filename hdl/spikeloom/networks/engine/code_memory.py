"""Memory of phase codes between layers."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.memory_attributes import BLOCK_RAM
from ...blocks.pipeline import Pipeline
from ...cores.spiked.code import signed_code
from .bitmap_memory import parts
from .operation import PIECE_BITS


def word_of_codes(steps: int) -> data.ArrayLayout:
    """A word: the codes of 16 neurons, whose spikes of a step are a piece of a row."""
    return data.ArrayLayout(signed_code(steps), PIECE_BITS)


class CodeMemory(Component):
    """Words of 16 phase codes.

    A neuron spikes at most once, so a code of its step and sign takes ``2 + log2(T)`` bits; the
    bitmaps of its spikes upwards and downwards would take ``2 T``.

    Parameters
    ----------
    steps : of a code.
    depth : words.
    read_delay : cycles of a read, 1 or 2; with 2, the output registers of block RAM can be used.

    Members
    -------
    r_addr : In(range(depth)), r_en : In(1), read.
    r_data : Out(`word_of_codes`), the word at the `r_addr` of `read_delay` cycles with `r_en`
        before.
    w_en : In(1), w_addr : In(range(depth)), w_data : In(`word_of_codes`), write a word. It is not
        read in the same cycle.
    """

    def __init__(self, *, steps: int, depth: int, read_delay: int) -> None:
        self._depth = depth
        self._read_delay = read_delay
        word = word_of_codes(steps)
        super().__init__(
            {
                "r_addr": In(range(depth)),
                "r_en": In(1),
                "r_data": Out(word),
                "w_en": In(1),
                "w_addr": In(range(depth)),
                "w_data": In(word),
            }
        )

    def elaborate(self, platform):
        m = Module()

        reading = Pipeline(m, self.r_en)
        sizes, words = parts(self._depth), []
        for n, depth in enumerate(sizes):
            memory = Memory(
                shape=len(self.w_data.as_value()), depth=depth, init=[], attrs=BLOCK_RAM
            )
            m.submodules[f"memory_{n}"] = memory
            write, read = memory.write_port(), memory.read_port()
            here = Const(1) if len(sizes) == 1 else self.w_addr[(sizes[0] - 1).bit_length()] == n
            m.d.comb += [
                write.addr.eq(self.w_addr),
                write.data.eq(self.w_data.as_value()),
                write.en.eq(self.w_en & here),
                read.addr.eq(self.r_addr),
                read.en.eq(self.r_en),
            ]
            words.append(reading.delay(read.data, self._read_delay - 1, f"word_{n}"))
        word = words[0]
        if len(words) > 1:
            high = self.r_addr[(sizes[0] - 1).bit_length()]
            word = Mux(reading.delay(high, self._read_delay, "in_second"), words[1], word)
        m.d.comb += self.r_data.as_value().eq(word)

        return m
