"""Order `qk`: ``(Q K^T) V``, one row of scores at a time. The faster order for N < 2 D."""

from amaranth.hdl import Module
from amaranth.lib.wiring import connect, flipped

from ...blocks.skid_buffer import SkidBuffer
from .order import Order
from .score_memory import ScoreMemory
from .score_stage import ScoreStage, score_entry
from .score_sums import ScoreSums


class ScoresFirst(Order):
    """Attention computed from the scores ``S = Q K^T``, of which at most `LISTS` rows are stored.

    The scores of a query are computed while the previous query's are summed. Nothing can saturate,
    so `saturated` is always low. See `Order` for the members.
    """

    def elaborate(self, platform):
        m = Module()

        m.submodules.scores = scores = ScoreStage(self._config)
        m.submodules.lists = memory = ScoreMemory(self._config.tokens, score_entry(self._config))
        m.submodules.sums = sums = ScoreSums(self._config)
        for name in "qkv":
            connect(m, flipped(getattr(self, name)), getattr(scores, name))
        connect(m, scores.values, sums.values)
        connect(m, scores.scores, memory.w)
        connect(m, sums.scores, memory.r)
        # The ready of the output enables the whole pipeline of the sums, so it is registered.
        m.submodules.output = output = SkidBuffer(len(self.o.payload.as_value()))
        m.d.comb += [
            output.i.payload.eq(sums.o.payload),
            output.i.valid.eq(sums.o.valid),
            sums.o.ready.eq(output.i.ready),
            self.o.payload.eq(output.o.payload),
            self.o.valid.eq(output.o.valid),
            output.o.ready.eq(self.o.ready),
        ]
        m.d.comb += [
            scores.run.eq(self.run),
            self.ended.eq(scores.ended),
            scores.idle.eq(memory.idle & sums.idle),
        ]

        return m
