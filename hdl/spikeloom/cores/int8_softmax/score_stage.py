"""First half of `int8_softmax`: the scores of a query, and the largest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ...blocks.banks import BankReader, BankWriter
from ...blocks.component import Component
from ...blocks.dot_product import DotProduct
from ...blocks.loop_nest import LoopNest
from ...blocks.operand import READ, word_address
from ...blocks.pipeline import Pipeline

if TYPE_CHECKING:
    from .core import Int8Softmax


class ScoreStage(Component):
    """``S[i, j] = floor(sum_d q[i, d] k[j, d] / 2^dropped)``, `lanes` products a cycle.

    A score takes `chunks` cycles.

    Members
    -------
    run : In(1), process queries while high.
    ended : Out(1), high for one cycle when the last query has been read.
    q : Out(BankReader), a bank for each query. k : Out(BankReader), a bank for all tokens.
    s : Out(BankWriter), a bank for each query.
    s_max : Out(signed score_bits), the largest score of the bank, in the cycle after `s.close`.
    """

    # Cycles from the last read for a score to its place in memory, beyond those of the products.
    delay = READ + 1

    def __init__(self, config: Int8Softmax) -> None:
        self._config = config
        word = config.inputs["q"].bits
        super().__init__(
            {
                "run": In(1),
                "ended": Out(1),
                "q": Out(BankReader(word_address(config.inputs["q"], 1), word)),
                "k": Out(BankReader(word_address(config.inputs["k"], config.tokens), word)),
                "s": Out(BankWriter(range(config.tokens), config.score_bits)),
                "s_max": Out(signed(config.score_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        # Read a chunk of the query and of a token every cycle.
        m.submodules.reads = reads = LoopNest(
            query=config.tokens, token=config.tokens, chunk=config.chunks
        )
        begin = reads.token_first
        go = self.run & self.k.full & self.q.full & (~begin | self.s.free)
        m.d.comb += [
            reads.step.eq(go),
            self.s.reserve.eq(go & begin),
            self.q.addr.part.eq(reads.chunk),
            self.k.addr.part.eq(reads.chunk),
            self.k.addr.row.eq(reads.token),
            self.q.release.eq(go & reads.token_last),
            self.k.release.eq(go & reads.query_last),
            self.ended.eq(go & reads.query_last),
        ]

        # Products; their sum, in as many cycles as the tree has levels.
        pipe = Pipeline(m)
        m.submodules.products = products = DotProduct(config.lanes)
        m.d.comb += [
            products.a.eq(pipe.register(self.q.data, "q_word")),
            products.b.eq(pipe.register(self.k.data, "k_word")),
        ]

        # Marks accompany them, and count as scores are complete.
        marks = data.StructLayout({"valid": 1, "scored": 1, "last": 1})
        mark = Signal(marks)
        m.d.comb += [
            mark.valid.eq(go),
            mark.scored.eq(go & reads.chunk_last),
            mark.last.eq(go & reads.token_last),
        ]
        behind = pipe.delay(mark.as_value(), READ + products.delay, "mark", reset_less=False)
        mark = marks(behind)
        partial = Signal(signed(config.sum_bits))
        total = Signal(signed(config.sum_bits))
        m.d.comb += total.eq(partial + products.o)
        with m.If(mark.valid):
            m.d.sync += partial.eq(total)
        with m.If(mark.scored):  # a reset of the register, whether it is enabled or not
            m.d.sync += partial.eq(0)

        # Write the score and compare it with the largest of the query so far.
        s, token = self.s, Signal(range(config.tokens))
        written, last, first = Signal(), Signal(), Signal(init=1)
        score = Signal(signed(config.score_bits), reset_less=True)
        m.d.sync += [
            written.eq(mark.scored),
            last.eq(mark.last),
            score.eq(total >> config.dropped),
        ]
        m.d.comb += [
            s.addr.eq(token),
            s.data.eq(score),
            s.en.eq(written),
            s.close.eq(last),
        ]
        with m.If(written):
            m.d.sync += [token.eq(Mux(last, 0, token + 1)), first.eq(last)]
        with m.If(written & (first | (score > self.s_max))):
            m.d.sync += self.s_max.eq(score)

        return m
