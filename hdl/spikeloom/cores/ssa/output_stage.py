"""Second stage: output spikes, for one block of query rows and one group of columns at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...blocks.banks import BankReader, BankWriter
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.seeding import Seeding
from .cell_array import CellArray
from .core import OUTPUT_STREAM
from .spike_operand import word_address

if TYPE_CHECKING:
    from .core import SSA


class OutputStage(Component):
    """``Attn[i, d] ~ Bern(1/N * sum_j S[i, j] AND V[j, d])``.

    The loops are: time steps, blocks of query rows, groups of `bits` columns, and keys, `key_lanes`
    per cycle. A block starts when its scores and the V of its time step are complete and the output
    queue has room.

    Members
    -------
    seeding : In(Seeding()).
    s : Out(BankReader), the scores of a block, one word per key group.
    v : Out(BankReader), the spikes of V, read from a `SpikeOperand`.
    o : Out(BankWriter), blocks of output rows, each written in one cycle.

    Source: SSA, arXiv 2402.09109, output stage.
    """

    def __init__(self, config: SSA) -> None:
        self._config = config
        self._blocks = config.tokens // config.query_lanes
        self._groups = config.key_groups
        self._columns = config.value_dim // config.bits
        super().__init__(
            {
                "seeding": In(Seeding()),
                "s": Out(BankReader(range(self._groups), config.query_lanes * config.key_lanes)),
                "v": Out(
                    BankReader(
                        word_address(self._groups, self._columns), config.key_lanes * config.bits
                    )
                ),
                "o": Out(BankWriter(0, config.query_lanes * config.value_dim)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config
        rows, bits = config.query_lanes, config.bits

        # Issue one read of S and V per cycle.
        m.submodules.loops = loops = LoopNest(
            block=self._blocks, column=self._columns, group=self._groups
        )
        begin = self.s.full & self.v.full & self.o.free
        issue = ~loops.column_first | begin
        m.d.comb += [
            loops.step.eq(issue),
            self.s.addr.eq(loops.group),
            self.v.addr.group.eq(loops.group),
            self.v.addr.column.eq(loops.column),
            self.o.reserve.eq(issue & loops.column_first),
            self.s.release.eq(issue & loops.column_last),
            self.v.release.eq(issue & loops.block_last),
        ]

        # The words arrive one cycle later and are passed to the cells, one per row and column.
        m.submodules.cells = cells = CellArray(
            rows * bits,
            config.key_lanes,
            config.tokens,
            strategy=config.random,
            stream=OUTPUT_STREAM,
        )
        wiring.connect(m, wiring.flipped(self.seeding), cells.seeding)
        m.d.sync += [
            cells.i_valid.eq(issue),
            cells.i_first.eq(loops.group_first),
            cells.i_last.eq(loops.group_last),
        ]
        for row in range(rows):
            scores = self.s.data.word_select(row, config.key_lanes)
            for bit in range(bits):
                values = Cat(self.v.data[key * bits + bit] for key in range(config.key_lanes))
                m.d.comb += cells.i.word_select(row * bits + bit, config.key_lanes).eq(
                    scores & values
                )

        # Columns are collected into rows; the last group of columns completes the block.
        m.submodules.done = done = LoopNest(column=self._columns)
        m.d.comb += [
            done.step.eq(cells.o_valid),
            self.o.en.eq(cells.o_valid & done.column_last),
            self.o.close.eq(self.o.en),
        ]
        for row in range(rows):
            gathered = Signal(config.value_dim, name=f"gathered_{row}", reset_less=True)
            longer = Cat(gathered, cells.o.word_select(row, bits))[bits:]
            with m.If(cells.o_valid):
                m.d.sync += gathered.eq(longer)
            m.d.comb += self.o.data.word_select(row, config.value_dim).eq(longer)

        return m
