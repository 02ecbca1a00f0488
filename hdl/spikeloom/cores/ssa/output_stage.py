"""Second stage: output spikes, one block of query rows against a group of columns at a time."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...blocks.loop_nest import LoopNest
from ...config.ssa import OUTPUT_STREAM
from .cell_array import CellArray


class OutputStage(wiring.Component):
    """``Attn[i, d] ~ Bern(1/N * sum_j S[i, j] AND V[j, d])``.

    For every time step, block of query rows, group of `bits` columns: the keys, `key_lanes` per
    clock. A block starts when its scores and the time step's V are there and the output has room.

    Members
    -------
    load, seed, warm : In, as for `RandomSource`.
    s_full, s_group, s, s_release : the scores of a block, read like an operand.
    v_full, v_group, v_column, v, v_release : the spikes of V.
    o_free : In(1), o_reserve : Out(1): room for one more block of rows.
    o : Out(query_lanes * value_dim), o_valid : Out(1): a block of output rows, row after row.

    Source: SSA, arXiv 2402.09109, output stage.
    """

    def __init__(self, config):
        self._config = config
        self._blocks = config.tokens // config.query_lanes
        self._groups = config.key_groups
        self._columns = config.value_dim // config.bits
        super().__init__(
            {
                "load": In(1),
                "seed": In(64),
                "warm": In(1),
                "s_full": In(1),
                "s_group": Out(range(self._groups)),
                "s": In(config.query_lanes * config.key_lanes),
                "s_release": Out(1),
                "v_full": In(1),
                "v_group": Out(range(self._groups)),
                "v_column": Out(range(self._columns)),
                "v": In(config.key_lanes * config.bits),
                "v_release": Out(1),
                "o_free": In(1),
                "o_reserve": Out(1),
                "o": Out(config.query_lanes * config.value_dim),
                "o_valid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config
        rows, bits = config.query_lanes, config.bits

        # Issue one read of S and V per clock.
        m.submodules.loops = loops = LoopNest(
            block=self._blocks, column=self._columns, group=self._groups
        )
        begin = self.s_full & self.v_full & self.o_free
        issue = ~loops.column_first | begin
        m.d.comb += [
            loops.step.eq(issue),
            self.s_group.eq(loops.group),
            self.v_group.eq(loops.group),
            self.v_column.eq(loops.column),
            self.o_reserve.eq(issue & loops.column_first),
            self.s_release.eq(issue & loops.column_last),
            self.v_release.eq(issue & loops.block_last),
        ]

        # The words come back a clock later and feed the cells: one for each row and column.
        m.submodules.cells = cells = CellArray(
            rows * bits,
            config.key_lanes,
            config.tokens,
            strategy=config.random,
            stream=OUTPUT_STREAM,
        )
        m.d.comb += [
            cells.load.eq(self.load),
            cells.seed.eq(self.seed),
            cells.warm.eq(self.warm),
        ]
        m.d.sync += [
            cells.i_valid.eq(issue),
            cells.i_first.eq(loops.group_first),
            cells.i_last.eq(loops.group_last),
        ]
        for row in range(rows):
            scores = self.s.word_select(row, config.key_lanes)
            for bit in range(bits):
                values = Cat(self.v[key * bits + bit] for key in range(config.key_lanes))
                m.d.comb += cells.i.word_select(row * bits + bit, config.key_lanes).eq(
                    scores & values
                )

        # Columns gather into rows; the last ones complete the block as they come.
        m.submodules.done = done = LoopNest(column=self._columns)
        m.d.comb += [
            done.step.eq(cells.o_valid),
            self.o_valid.eq(cells.o_valid & done.column_last),
        ]
        for row in range(rows):
            gathered = Signal(config.value_dim, name=f"gathered_{row}", reset_less=True)
            longer = Cat(gathered, cells.o.word_select(row, bits))[bits:]
            with m.If(cells.o_valid):
                m.d.sync += gathered.eq(longer)
            m.d.comb += self.o.word_select(row, config.value_dim).eq(longer)

        return m
