"""`WeightMemory`: properties of the attention state behind initialised weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Array, Const, Signal

from spikeloom.blocks.pipeline import Pipeline
from spikeloom.networks.engine.weight_memory import WeightMemory

from .harness import Harness
from .properties import assume, cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module


class WeightMemoryContract(Harness):
    """Each read gives the weight of its address, or the state's word as it was written last.

    Protocol: weights are read at addresses that exist; a word of the state is not read in the cycle
    in which it is written. The property holds for any address of the state, which the solver
    chooses. Use mode "always".

    Parameters
    ----------
    weights : the contents.
    width : bits of a word.
    state_words : of the state, a power of two.
    """

    def __init__(self, weights: Sequence[int], *, width: int, state_words: int) -> None:
        self._weights = weights
        self._delay = 2
        memory = WeightMemory(
            width=width,
            depth=len(weights),
            initial=weights,
            read_delay=self._delay,
            state_words=state_words,
        )
        super().__init__(memory, place=(state_words - 1).bit_length())

    def check(self, m: Module) -> None:
        dut = self.dut
        here = dut.from_state & (dut.s_addr == self.place)
        writes = dut.s_en & (dut.s_w_addr == self.place)
        word, known = Signal.like(dut.s_data), Signal()
        with m.If(writes):
            m.d.sync += [word.eq(dut.s_data), known.eq(1)]
        weight = Array(Const(value, len(dut.data)) for value in self._weights)[dut.addr]
        late = Pipeline(m)
        expected = late.delay(word, self._delay, "expected", reset_less=False)
        of_state = late.delay(here & known, self._delay, "of_state", reset_less=False)
        expected_weight = late.delay(weight, self._delay, "weight", reset_less=False)
        of_weight = late.delay(~dut.from_state, self._delay, "of_weight", reset_less=False)
        m.d.comb += [
            assume(dut.addr < len(self._weights)),
            assume(~(here & writes)),
            prove(~of_state | (dut.data == expected)),
            prove(~of_weight | (dut.data == expected_weight)),
            cover(of_state & (expected != 0)),
        ]
