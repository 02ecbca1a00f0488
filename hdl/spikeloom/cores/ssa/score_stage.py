"""First stage: score spikes, for one block of query rows and one group of keys at a time."""

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
from .core import SCORE_STREAM
from .spike_operand import word_address

if TYPE_CHECKING:
    from .core import SSA


class ScoreStage(Component):
    """``S[i, j] ~ Bern(1/D * sum_d Q[i, d] AND K[j, d])``, 0 where the mask excludes j.

    The loops are: time steps, blocks of query rows, groups of keys, and dimensions, `bits` per
    cycle. A block of query rows starts when its operands are complete and the score memory has room
    for it, and then runs without stalls.

    Members
    -------
    seeding : In(Seeding()); loading also starts a run of all time steps.
    run : In(1), blocks may start.
    q, k : Out(BankReader), the spikes of a time step, read from a `SpikeOperand`.
    s : Out(BankWriter), the scores of a block; one word per key group, query by query.

    Source: SSA, arXiv 2402.09109, score stage.
    """

    def __init__(self, config: SSA) -> None:
        self._config = config
        self._blocks = config.tokens // config.query_lanes
        self._groups = config.key_groups
        columns = config.head_dim // config.bits
        super().__init__(
            {
                "seeding": In(Seeding()),
                "run": In(1),
                "q": Out(
                    BankReader(
                        word_address(self._blocks, columns), config.query_lanes * config.bits
                    )
                ),
                "k": Out(
                    BankReader(word_address(self._groups, columns), config.key_lanes * config.bits)
                ),
                "s": Out(BankWriter(range(self._groups), config.query_lanes * config.key_lanes)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        # Issue one read of Q and K per cycle.
        m.submodules.loops = loops = LoopNest(
            time=config.steps,
            block=self._blocks,
            group=self._groups,
            column=config.head_dim // config.bits,
        )
        to_do = Signal()
        begin = self.run & to_do & self.q.full & self.k.full & self.s.free
        issue = ~loops.group_first | begin
        m.d.comb += [
            loops.step.eq(issue),
            self.q.addr.group.eq(loops.block),
            self.k.addr.group.eq(loops.group),
            self.s.reserve.eq(issue & loops.group_first),
        ]
        for operand in (self.q, self.k):
            m.d.comb += [
                operand.addr.column.eq(loops.column),
                operand.release.eq(issue & loops.block_last),
            ]
        with m.If(self.seeding.load):
            m.d.sync += to_do.eq(1)
        with m.Elif(issue & loops.time_last):
            m.d.sync += to_do.eq(0)

        # The words arrive one cycle later and are passed to the cells.
        m.submodules.cells = cells = CellArray(
            config.query_lanes * config.key_lanes,
            config.bits,
            config.head_dim,
            strategy=config.random,
            stream=SCORE_STREAM,
        )
        wiring.connect(m, wiring.flipped(self.seeding), cells.seeding)
        m.d.sync += [
            cells.i_valid.eq(issue),
            cells.i_first.eq(loops.column_first),
            cells.i_last.eq(loops.column_last),
        ]
        for row in range(config.query_lanes):
            for key in range(config.key_lanes):
                query = self.q.data.word_select(row, config.bits)
                cell = row * config.key_lanes + key
                m.d.comb += cells.i.word_select(cell, config.bits).eq(
                    query & self.k.data.word_select(key, config.bits)
                )

        # Scores leave in the order of the reads.
        m.submodules.done = done = LoopNest(block=self._blocks, group=self._groups)
        m.d.comb += [
            done.step.eq(cells.o_valid),
            self.s.addr.eq(done.group),
            self.s.data.eq(cells.o & self._admitted(done)),
            self.s.en.eq(cells.o_valid),
            self.s.close.eq(cells.o_valid & done.group_last),
        ]

        return m

    def _admitted(self, done):
        """Which scores of the current block and key group the mask admits; none beyond the last
        token."""
        config = self._config
        lead = done.block * config.query_lanes - done.group * config.key_lanes
        rules = {
            "none": lambda ahead: True,
            "causal": lambda ahead: ahead >= 0,
            "self": lambda ahead: ahead != 0,
        }
        partial = config.tokens % config.key_lanes
        return Cat(
            rules[config.mask](lead + row - key)
            & (~done.group_last if partial and key >= partial else True)
            for row in range(config.query_lanes)
            for key in range(config.key_lanes)
        )
