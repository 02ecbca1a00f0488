"""Second half of `int8_softmax`: weights, and sums of weighted tokens of V."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Signal, signed, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ...blocks.banks import BankReader
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.multiplier import Multiplier
from ...blocks.operand import READ, word_address
from ...blocks.pieces import pieces
from ...blocks.pipeline import Pipeline
from .exponential import Exponential

if TYPE_CHECKING:
    from .core import Int8Softmax


def sums_layout(config: Int8Softmax) -> data.StructLayout:
    """The sums of a group of outputs: of the weights, and of each lane."""
    return data.StructLayout({"norm": config.norm_bits, "lanes": config.lanes * config.acc_bits})


class ValueStage(Component):
    """``sum_j p[i, j] (v[j, d] + 128)`` of `lanes` dims d at a time, and ``sum_j p[i, j]``.

    A group of `lanes` dims takes a cycle for each token, in which the weight is computed again.
    The last token of a group waits until `free`.

    Members
    -------
    s : Out(BankReader), a bank for each query.
    s_max : In(signed score_bits), the largest score of the bank, a cycle after the first read.
    v : Out(BankReader), a bank for all tokens.
    free : In(1), the sums of the group before have been taken.
    issued : Out(1), the last token of a group is read: its sums follow.
    o : Out(`sums_layout`), valid while `o_valid`.
    o_valid : Out(1), high for one cycle for each group.
    """

    # Cycles from the last token of a group to its weight, and to the group's sums.
    weighing = READ + 1 + Exponential.delay
    delay = weighing + Multiplier.delay

    def __init__(self, config: Int8Softmax) -> None:
        self._config = config
        super().__init__(
            {
                "s": Out(BankReader(range(config.tokens), config.score_bits)),
                "s_max": In(signed(config.score_bits)),
                "v": Out(
                    BankReader(
                        word_address(config.inputs["v"], config.tokens), config.inputs["v"].bits
                    )
                ),
                "free": In(1),
                "issued": Out(1),
                "o": Out(sums_layout(config)),
                "o_valid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        # Read all scores for each group.
        m.submodules.reads = reads = LoopNest(
            query=config.tokens, group=config.groups, token=config.tokens
        )
        go = self.s.full & self.v.full & (~reads.token_last | self.free)
        m.d.comb += [
            reads.step.eq(go),
            self.s.addr.eq(reads.token),
            self.s.release.eq(go & reads.group_last),
            self.issued.eq(go & reads.token_last),
        ]

        # The weight. V is read so that both are in registers in the same cycle.
        pipe = Pipeline(m)
        score = pipe.register(self.s.data, "score").as_signed()
        largest = pipe.delay(self.s_max, READ - 1, "largest").as_signed()
        m.submodules.exponential = exponential = Exponential(config)
        m.d.sync += exponential.below.eq((largest - score)[: config.score_bits])
        place = Cat(reads.group, reads.token)  # as in `word_address`
        ahead = self.weighing - READ
        release = pipe.delay(go & reads.query_last, ahead, "release", reset_less=False)
        m.d.comb += [
            self.v.addr.eq(pipe.delay(place, ahead, "place")),
            self.v.release.eq(release),
        ]
        values = pieces(pipe.register(self.v.data, "values"), 8)

        # The sums. A token of V is stored in two's complement: with the sign inverted it is
        # v + 128, so that nothing is negative.
        adding = pipe.delay(go, self.delay, "valid", reset_less=False)
        closing = pipe.delay(self.issued, self.delay, "last", reset_less=False)
        m.d.comb += self.o_valid.eq(closing)
        terms = [pipe.delay(exponential.p, Multiplier.delay, "weight")]
        for lane, value in enumerate(values):
            multiplier = Multiplier(unsigned(config.prob_bits), unsigned(8))
            m.submodules[f"multiplier_{lane}"] = multiplier
            m.d.comb += [
                multiplier.a.eq(exponential.p),
                multiplier.b.eq(Cat(value[:7], ~value[7])),
            ]
            terms.append(multiplier.o)
        sums = [self.o.norm, *pieces(self.o.lanes, config.acc_bits)]
        for n, (term, total) in enumerate(zip(terms, sums, strict=True)):
            partial = Signal(len(total), name=f"partial_{n}")
            m.d.comb += total.eq(partial + term)
            with m.If(adding):
                m.d.sync += partial.eq(total)
            with m.If(closing):  # a reset of the register, whether it is enabled or not
                m.d.sync += partial.eq(0)

        return m
