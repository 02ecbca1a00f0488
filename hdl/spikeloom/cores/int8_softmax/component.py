"""The `int8_softmax` core: softmax attention of 8-bit integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Array, Module, Signal, signed
from amaranth.lib.wiring import connect, flipped

from ...blocks.bank_memory import BankMemory
from ...blocks.component import Component
from ...blocks.control import control_of, core_members
from ...blocks.memory_attributes import NO_READ_WRITE_COLLISION, small_memory
from ...blocks.operand import add_operands
from ...blocks.run_control import RunControl
from .normaliser import Normaliser
from .score_stage import ScoreStage
from .value_stage import ValueStage

if TYPE_CHECKING:
    from .core import Int8Softmax

QUERIES = 2  # held, one being read
SCORES = 3  # queries with scores in memory: one being written, one being read, one in between


class Int8SoftmaxComponent(Component):
    """Softmax attention of signed 8-bit integers, the baseline that the spiking cores are
    compared with::

        p[i, j] = 2^(q_i.k_j / 2^shift), up to a factor of the row
        o[i, d] = round(sum_j p[i, j] v[j, d] / sum_j p[i, j])

    The scores of a query are computed while those of the query before weight V. The core holds K
    and V of a run and two queries, even before `start`; it takes the next run's K and V when the
    last query has been through.

    Parameters
    ----------
    config : Int8Softmax.

    Members
    -------
    start, busy, done : see `Control`.
    misframed : Out(1), a ``last`` was not at the end of a tensor; high until reset.
    q, k, v : In(stream of {data: `lanes` signed values of 8 bits, last}), ceil(D / lanes) or
        ceil(Dv / lanes) beats per token.
    o : Out(stream of {data: `lanes` signed values of 8 bits, last}), ceil(Dv / lanes) per token.
    """

    def __init__(self, config: Int8Softmax) -> None:
        self.config = config
        super().__init__(core_members(config))

    def elaborate(self, platform):
        m = Module()
        config = self.config

        whole = (config.tokens, 1, NO_READ_WRITE_COLLISION)
        held = dict.fromkeys(config.inputs, whole) | {"q": (1, QUERIES, small_memory(platform))}
        operands = add_operands(m, self, held)

        m.submodules.scores = scores = ScoreStage(config)
        m.submodules.values = values = ValueStage(config)
        m.submodules.normaliser = normaliser = Normaliser(config)
        connect(m, scores.q, operands["q"].r)
        connect(m, scores.k, operands["k"].r)
        connect(m, values.v, operands["v"].r)

        # Scores of a query, with the largest of them.
        m.submodules.score_memory = memory = BankMemory(
            banks=SCORES, depth=config.tokens, granule_bits=config.score_bits
        )
        connect(m, scores.s, memory.w)
        connect(m, values.s, memory.r)
        largest = Array(
            Signal(signed(config.score_bits), name=f"largest_{n}", reset_less=True)
            for n in range(SCORES)
        )
        closed, written, read = Signal(), Signal(range(SCORES)), Signal(range(SCORES))
        m.d.sync += [
            closed.eq(scores.s.close),
            written.eq(memory.w_bank),
            read.eq(memory.r_bank),
        ]
        with m.If(closed):
            m.d.sync += largest[written].eq(scores.s_max)
        m.d.comb += values.s_max.eq(largest[read])

        m.d.comb += [
            values.free.eq(normaliser.free),
            normaliser.issued.eq(values.issued),
            normaliser.i.eq(values.o),
            normaliser.i_valid.eq(values.o_valid),
        ]
        connect(m, normaliser.o, flipped(self.o))

        m.submodules.run_control = run_control = RunControl(1)
        connect(m, control_of(self), run_control.control)
        m.d.comb += run_control.last.eq(self.o.valid & self.o.ready & self.o.payload.last)
        with m.If(run_control.begin):
            m.d.sync += scores.run.eq(1)
        with m.If(scores.ended):
            m.d.sync += scores.run.eq(0)

        return m
