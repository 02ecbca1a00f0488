"""Encodes accumulators as phase codes."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.memory_attributes import BLOCK_RAM, small_memory
from ...blocks.pieces import pieces
from ...blocks.pipeline import Pipeline
from ...cores.spiked.code import signed_code
from .code_memory import word_of_codes
from .operation import PIECE_BITS

LANES_EACH = 32  # lanes that share the search for levels
LUT_WORDS = 64  # of a table of levels that may be in LUTs


def beside(lanes: int) -> int:
    """Lanes that are encoded at once."""
    return max(1, lanes // LANES_EACH)


def load_cycles(lanes: int) -> int:
    """Cycles in which all lanes are encoded: between two steps that are, at least."""
    return lanes // beside(lanes)


class CodeEncoder(Component):
    """Converts the accumulators of a group to phase codes while the next group is added.

    The code of a sum I is the number of levels above ``|I|``, which a pipeline finds by bisection:
    stage s has a table with the middle of each of ``2**s`` intervals, for each sequence of levels.

    Latency: the last codes of a group leave ``load_cycles + delay`` cycles after `i_valid`.

    Parameters
    ----------
    lanes : accumulators of a group. bits : of an accumulator.
    steps : of a code.
    levels : for each number of `level`, the least magnitude that spikes at each step or before, in
        descending order; if these are fewer than the steps, none spikes in the last ones.

    Members
    -------
    level : In, number of levels; bipolar : In(1), negative sums have codes; constant while groups
        are encoded.
    i_valid : In(1), i : In(lanes * bits), accumulators, at most once in `load_cycles` cycles.
    i_final : In(1), the last ones of an operation.
    o_valid : Out(1), o : Out(`word_of_codes`), one word after the other, the first lane first.
    final : Out(1), the last word of an operation.
    """

    def __init__(
        self, *, lanes: int, bits: int, steps: int, levels: Sequence[Sequence[int]]
    ) -> None:
        self._lanes = lanes
        self._bits = bits
        self._steps = steps
        self._levels = levels
        super().__init__(
            {
                "level": In(range(len(levels))),
                "bipolar": In(1),
                "i_valid": In(1),
                "i": In(lanes * bits),
                "i_final": In(1),
                "o_valid": Out(1),
                "o": Out(word_of_codes(steps)),
                "final": Out(1),
            }
        )

    @staticmethod
    def delay(steps: int) -> int:
        """Cycles from a group's last accumulators in front to the word with their codes."""
        return 3 + 2 * steps.bit_length()

    def elaborate(self, platform):
        m = Module()

        # The accumulators of a group move to the front, where some are encoded in each cycle.
        count = beside(self._lanes)
        group = Signal(self._lanes * self._bits, reset_less=True)
        m.submodules.turns = turns = LoopNest(turn=load_cycles(self._lanes))
        busy, closes = Signal(), Signal(reset_less=True)
        m.d.comb += turns.step.eq(busy)
        with m.If(busy):
            m.d.sync += group.eq(group >> count * self._bits)
            with m.If(turns.turn_last):
                m.d.sync += busy.eq(0)
        with m.If(self.i_valid):
            m.d.sync += [busy.eq(1), closes.eq(self.i_final), group.eq(self.i)]

        codes = [
            self._encode(m, platform, sum, f"search_{n}")
            for n, sum in enumerate(pieces(group, self._bits)[:count])
        ]
        pipeline, delay = Pipeline(m), self.delay(self._steps) - 1
        valid = pipeline.delay(busy, delay, "valid", reset_less=False)
        last = busy & turns.turn_last & closes
        last = pipeline.delay(last, delay, "last", reset_less=False)

        # Codes of a word.
        m.submodules.gathered = gathered = LoopNest(part=PIECE_BITS // count)
        word = Signal(len(self.o.as_value()), reset_less=True)
        m.d.comb += [gathered.step.eq(valid), self.o.as_value().eq(word)]
        with m.If(valid):
            m.d.sync += word.eq(Cat(word, *codes)[-len(word) :])
        m.d.sync += [self.o_valid.eq(valid & gathered.part_last), self.final.eq(last)]

        return m

    def _encode(self, m, platform, sum, name):
        """The code of a sum, `delay` - 1 cycles later."""
        pipeline = Pipeline(m)
        negative = pipeline.register(sum[-1], f"{name}_negative")
        magnitude = pipeline.register(abs(sum.as_signed())[: self._bits], f"{name}_magnitude")
        above = Signal(0)
        for stage, table in enumerate(self._tables()):
            small = len(table) <= LUT_WORDS
            memory = Memory(
                shape=max(1, max(table).bit_length()),
                depth=len(table),
                init=table,
                attrs=small_memory(platform, constant=True) if small else BLOCK_RAM,
            )
            m.submodules[f"{name}_levels_{stage}"] = memory
            read = memory.read_port()
            m.d.comb += read.addr.eq(Cat(above, self.level))
            late = pipeline.register(Cat(magnitude, negative, above), f"{name}_late_{stage}")
            magnitude, negative = late[: self._bits], late[self._bits]
            below = magnitude < read.data
            late = pipeline.register(
                Cat(magnitude, negative, below, late[self._bits + 1 :]), f"{name}_{stage}"
            )
            magnitude, negative = late[: self._bits], late[self._bits]
            above = late[self._bits + 1 :]
        code = Signal(signed_code(self._steps), name=f"{name}_code", reset_less=True)
        ends = Array(Const(len(levels), range(self._steps + 1)) for levels in self._levels)
        spikes = (above < ends[self.level]) & (self.bipolar | ~negative)
        m.d.sync += [
            code.step.eq(Mux(spikes, above, 0)),
            code.spike.eq(spikes),
            code.sign.eq(spikes & negative),
        ]
        return code.as_value()

    def _tables(self) -> list[list[int]]:
        """For each stage the level in the middle of each interval, for one sequence of levels after
        the other; behind the last step no magnitude is below."""
        stages = self._steps.bit_length()
        padded = [[*levels, *[0] * (1 << stages)] for levels in self._levels]
        middles = [
            range((1 << left) - 1, 1 << stages, 2 << left) for left in reversed(range(stages))
        ]
        return [[levels[at] for levels in padded for at in middle] for middle in middles]
