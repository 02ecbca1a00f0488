"""Engine "counter" of `ssa`: stochastic spiking attention with AND gates, counters and LFSRs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import connect, flipped

from ...blocks.bank_memory import BankMemory
from ...blocks.beat import drop_last
from ...blocks.component import Component
from ...blocks.control import control_of
from ...blocks.framed_input import FramedInput
from ...blocks.row_splitter import RowSplitter
from ...blocks.run_control import RunControl
from ...random.seed_scrambler import SeedScrambler
from .core import ENCODER_STREAMS
from .output_stage import OutputStage
from .ports import ssa_ports
from .row_output import RowOutput
from .schedule import output_depth, score_banks
from .score_stage import ScoreStage
from .spike_operand import SpikeOperand
from .value_operand import ValueOperand

if TYPE_CHECKING:
    from .core import SSA


class CounterSSA(Component):
    """Stochastic spiking attention over T time steps.

    Per time step, with spikes Q, K (N x D) and V (N x Dv)::

        S[i, j]    ~ Bern( 1/D * sum_d Q[i, d] AND K[j, d] )
        Attn[i, d] ~ Bern( 1/N * sum_j S[i, j] AND V[j, d] )

    Operands are buffered (two time steps of spikes, or one tensor of values) and accepted even
    before `start`. Both stages and the loading of the next step run in parallel; see `schedule` for
    the cycles.

    Parameters
    ----------
    config : SSA.

    Members
    -------
    start : In(1), begin a run of T steps; ignored while `busy` is high.
    seed : In(64), loaded into every LFSR at start.
    busy : Out(1), high from the cycle after `start` to the last output beat.
    done : Out(1), high for one cycle, after the transfer of the last output beat.
    misframed : Out(1), a ``last`` was not at the end of a tensor; high until reset.
    q, k, v : In(stream of {data, last}). Spikes: a beat is a token, N beats per step, bit d is the
        spike of dimension d. Values: a beat is one threshold 0..2**value_bits, N * D beats, token
        by token.
    o : Out(stream of {data: Dv, last}), a token of output spikes per beat, N beats per step.

    Source: Song et al., "Stochastic Spiking Attention", arXiv 2402.09109.
    """

    def __init__(self, config: SSA) -> None:
        self.config = config
        super().__init__(ssa_ports(config))

    def elaborate(self, platform):
        m = Module()
        config = self.config

        # Start: scramble and load the seed, run until the last output beat.
        m.submodules.run_control = run_control = RunControl(config.steps)
        m.submodules.scrambler = scrambler = SeedScrambler()
        connect(m, control_of(self), run_control.control)
        run = Signal()
        m.d.comb += [
            run_control.last.eq(self.o.valid & self.o.ready & self.o.payload.last),
            scrambler.start.eq(run_control.begin),
            scrambler.seed.eq(self.seed),
            scrambler.keep.eq(self.busy),
            run.eq(self.busy & ~scrambler.busy),
        ]

        m.submodules.scores = scores = ScoreStage(config)
        m.submodules.output = output = OutputStage(config)
        seeded, misframed = [scores, output], []

        # Operands: convert streams of rows or values to double-buffered spikes.
        q, k, v = (self._operand(m, name, seeded, misframed, run) for name in ENCODER_STREAMS)
        connect(m, scrambler.seeding, *(part.seeding for part in seeded))
        with m.If(Cat(misframed).any()):
            m.d.sync += self.misframed.eq(1)

        # Score stage: Q and K to scores.
        m.submodules.score_memory = score_memory = BankMemory(
            banks=score_banks(config),
            depth=config.key_groups,
            granule_bits=config.query_lanes * config.key_lanes,
        )
        m.d.comb += scores.run.eq(run)
        connect(m, scores.q, q.o)
        connect(m, scores.k, k.o)
        connect(m, scores.s, score_memory.w)

        # Output stage: scores and V to rows, rows to the stream.
        m.submodules.rows = rows = RowOutput(
            config.tokens,
            config.value_dim,
            rows=config.query_lanes,
            depth=output_depth(config),
        )
        connect(m, output.s, score_memory.r)
        connect(m, output.v, v.o)
        connect(m, output.o, rows.i)
        connect(m, rows.o, flipped(self.o))

        return m

    def _operand(self, m, name, seeded, misframed, run):
        """Memory of operand `name`, filled from its stream.

        Appends encoders to `seeded`, and to `misframed` whether the current beat has a wrong
        ``last``.
        """
        config = self.config
        port = getattr(self, name)
        width = config.width(name)
        by_value = config.by_value

        m.submodules[f"{name}_framed"] = framed = FramedInput(
            port.payload.shape(), token=config.tokens, dim=width if by_value else 1
        )
        connect(m, flipped(port), framed.i)
        misframed.append(framed.misframed & port.ready)

        if by_value:
            feed = ValueOperand(
                config.tokens,
                width,
                steps=config.steps,
                value_bits=config.value_bits,
                rows=config.query_lanes,
                lanes=config.encoder_lanes,
                strategy=config.random,
                stream_number=ENCODER_STREAMS[name],
            )
            m.d.comb += feed.run.eq(run)
            seeded.append(feed)
        else:
            feed = RowSplitter(width, config.bits)
        m.submodules[f"{name}_feed"] = feed
        drop_last(m, framed.o, feed.i)

        m.submodules[f"{name}_operand"] = operand = SpikeOperand(
            config.tokens,
            width,
            lanes=config.query_lanes if name == "q" else config.key_lanes,
            bits=config.bits,
            block_rows=config.query_lanes if by_value else 1,
            block_bits=config.encoder_lanes if by_value else config.bits,
        )
        connect(m, feed.o, operand.i)
        return operand
