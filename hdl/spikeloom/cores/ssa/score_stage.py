"""First stage: score spikes, one block of query rows against a group of keys at a time."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...blocks.loop_nest import LoopNest
from ...config.ssa import SCORE_STREAM
from .cell_array import CellArray


class ScoreStage(wiring.Component):
    """``S[i, j] ~ Bern(1/D * sum_d Q[i, d] AND K[j, d])``, 0 where the mask leaves j out.

    For every time step, block of query rows, group of keys: the dimensions, `bits` per clock. A
    block of query rows starts when operands are there and the score memory has room for it, and
    then runs without a pause.

    Members
    -------
    load, seed, warm : In, as for `RandomSource`; `load` also starts a run of all time steps.
    run : In(1), may start blocks.
    q_full, k_full : In(1), spikes of a time step are there.
    q_group, k_group, column : Out, the words to read.
    q, k : In, those words, a clock later.
    release : Out(1), the time step's operands are no longer needed.
    s_free : In(1), s_reserve : Out(1): room for the scores of one more block.
    s_group : Out, s : Out(query_lanes * key_lanes), s_valid : Out(1), s_close : Out(1): scores of
        one key group, query after query, and the end of the block.

    Source: SSA, arXiv 2402.09109, score stage.
    """

    def __init__(self, config):
        self._config = config
        self._blocks = config.tokens // config.query_lanes
        self._groups = config.key_groups
        columns = config.head_dim // config.bits
        super().__init__(
            {
                "load": In(1),
                "seed": In(64),
                "warm": In(1),
                "run": In(1),
                "q_full": In(1),
                "k_full": In(1),
                "q_group": Out(range(self._blocks)),
                "k_group": Out(range(self._groups)),
                "column": Out(range(columns)),
                "q": In(config.query_lanes * config.bits),
                "k": In(config.key_lanes * config.bits),
                "release": Out(1),
                "s_free": In(1),
                "s_reserve": Out(1),
                "s_group": Out(range(self._groups)),
                "s": Out(config.query_lanes * config.key_lanes),
                "s_valid": Out(1),
                "s_close": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        # Issue one read of Q and K per clock.
        m.submodules.loops = loops = LoopNest(
            time=config.steps,
            block=self._blocks,
            group=self._groups,
            column=config.head_dim // config.bits,
        )
        to_do = Signal()
        begin = self.run & to_do & self.q_full & self.k_full & self.s_free
        issue = ~loops.group_first | begin
        m.d.comb += [
            loops.step.eq(issue),
            self.q_group.eq(loops.block),
            self.k_group.eq(loops.group),
            self.column.eq(loops.column),
            self.s_reserve.eq(issue & loops.group_first),
            self.release.eq(issue & loops.block_last),
        ]
        with m.If(self.load):
            m.d.sync += to_do.eq(1)
        with m.Elif(issue & loops.time_last):
            m.d.sync += to_do.eq(0)

        # The words come back a clock later and feed the cells.
        m.submodules.cells = cells = CellArray(
            config.query_lanes * config.key_lanes,
            config.bits,
            config.head_dim,
            strategy=config.random,
            stream=SCORE_STREAM,
        )
        m.d.comb += [
            cells.load.eq(self.load),
            cells.seed.eq(self.seed),
            cells.warm.eq(self.warm),
        ]
        m.d.sync += [
            cells.i_valid.eq(issue),
            cells.i_first.eq(loops.column_first),
            cells.i_last.eq(loops.column_last),
        ]
        for row in range(config.query_lanes):
            for key in range(config.key_lanes):
                query = self.q.word_select(row, config.bits)
                cell = row * config.key_lanes + key
                m.d.comb += cells.i.word_select(cell, config.bits).eq(
                    query & self.k.word_select(key, config.bits)
                )

        # Scores leave in the order they were issued.
        m.submodules.done = done = LoopNest(block=self._blocks, group=self._groups)
        m.d.comb += [
            done.step.eq(cells.o_valid),
            self.s_group.eq(done.group),
            self.s.eq(cells.o & self._admitted(done)),
            self.s_valid.eq(cells.o_valid),
            self.s_close.eq(cells.o_valid & done.group_last),
        ]

        return m

    def _admitted(self, done):
        """Which scores of the present block and key group the mask lets through, of tokens."""
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
