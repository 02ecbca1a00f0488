"""First stage of `int8_linear`: the sums of products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ...blocks.banks import BankReader
from ...blocks.component import Component
from ...blocks.dot_product import DotProduct
from ...blocks.loop_nest import LoopNest
from ...blocks.operand import READ, word_address
from ...blocks.pipeline import Pipeline

if TYPE_CHECKING:
    from .core import Int8Linear


class SumStage(Component):
    """``sum_i x[n, i] w[o, i]``, `lanes` products a cycle.

    A sum takes `chunks` cycles; sums follow each other without a pause. With its last read, the
    last sum of a beat waits until `free`.

    Members
    -------
    begin : In(1), a run starts. constants : In(1), its other operands are present.
    x : Out(BankReader), a bank for each token. w : Out(BankReader), a bank for all outputs.
    free : In(1), a beat of outputs has a place. issued : Out(1), take that place.
    o : Out(signed sum_bits), a sum, valid while `o_valid`.
    o_valid : Out(1).
    """

    # Cycles from `begin` to the first read, and from the last read for a sum to `o`, without those
    # of the products.
    start, delay = 2, READ

    def __init__(self, config: Int8Linear) -> None:
        self._config = config
        ports = config.inputs
        super().__init__(
            {
                "begin": In(1),
                "constants": In(1),
                "x": Out(BankReader(word_address(ports["x"], 1), ports["x"].bits)),
                "w": Out(BankReader(word_address(ports["w"], config.output_dim), ports["w"].bits)),
                "free": In(1),
                "issued": Out(1),
                "o": Out(signed(config.sum_bits)),
                "o_valid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        # Read a chunk of the token and of an output's weights every cycle.
        m.submodules.reads = reads = LoopNest(
            token=config.tokens, output=config.output_dim, chunk=config.chunks
        )
        begun, active = Signal(), Signal()
        lane, lane_last = Signal(range(config.lanes)), Signal(init=config.lanes == 1)
        ends = reads.chunk_last & (lane_last | reads.output_last)
        go = active & self.x.full & (~ends | self.free)
        m.d.comb += [
            reads.step.eq(go),
            self.issued.eq(go & ends),
            self.x.addr.part.eq(reads.chunk),
            self.w.addr.part.eq(reads.chunk),
            self.w.addr.row.eq(reads.output),
            self.x.release.eq(go & reads.output_last),
            self.w.release.eq(go & reads.token_last),
        ]
        present = self.constants & self.w.full
        m.d.sync += [
            begun.eq(self.begin | (begun & ~present)),
            active.eq((active | (begun & present)) & ~(go & reads.token_last)),
        ]
        with m.If(go & reads.chunk_last):
            m.d.sync += [
                lane.eq(Mux(ends, 0, lane + 1)),
                lane_last.eq((config.lanes == 1) | (~ends & (lane == config.lanes - 2))),
            ]

        # Products, and their sum over the chunks.
        pipe = Pipeline(m)
        m.submodules.products = products = DotProduct(config.lanes, logic_lanes=config.logic_lanes)
        m.d.comb += [
            products.a.eq(pipe.register(self.x.data, "x_word")),
            products.b.eq(pipe.register(self.w.data, "w_word")),
        ]
        marks = data.StructLayout({"valid": 1, "complete": 1})
        mark = Signal(marks)
        m.d.comb += [mark.valid.eq(go), mark.complete.eq(go & reads.chunk_last)]
        behind = pipe.delay(mark.as_value(), READ + products.delay, "mark", reset_less=False)
        mark = marks(behind)
        partial = Signal(signed(config.sum_bits))
        m.d.comb += [self.o.eq(partial + products.o), self.o_valid.eq(mark.complete)]
        with m.If(mark.valid):
            m.d.sync += partial.eq(self.o)
        with m.If(mark.complete):  # a reset of the register, whether it is enabled or not
            m.d.sync += partial.eq(0)

        return m
