"""The `ssa` core: stochastic spiking attention with AND gates, counters and LFSRs."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring

from ...blocks.bank_memory import BankMemory
from ...blocks.loop_nest import LoopNest
from ...blocks.row_splitter import RowSplitter
from ...config.ssa import ENCODER_STREAMS
from ...random.seed_scrambler import SeedScrambler
from .output_stage import OutputStage
from .ports import ssa_ports
from .row_output import RowOutput
from .schedule import output_depth, score_banks
from .score_stage import ScoreStage
from .spike_operand import SpikeOperand
from .value_operand import ValueOperand


class SSA(wiring.Component):
    """Stochastic spiking attention over T time steps.

    Per time step, with spikes Q, K (N x D) and V (N x Dv)::

        S[i, j]    ~ Bern( 1/D * sum_d Q[i, d] AND K[j, d] )
        Attn[i, d] ~ Bern( 1/N * sum_j S[i, j] AND V[j, d] )

    Operands are taken whenever there is room (two time steps of spikes, or one tensor of values),
    also before `start`. Both stages and the loading of the next step run at the same time; see
    `schedule` for the clocks. Where a ``last`` does not fall on the end of a tensor, `misframed`
    goes high and stays until reset.

    Parameters
    ----------
    config : SSAConfig.

    Members
    -------
    start : In(1), begin a run of T steps; taken while `busy` is low.
    seed : In(64), loaded into every LFSR at start.
    busy : Out(1), from start to the last output beat.
    done : Out(1), one clock, with the transfer of the last output beat.
    misframed : Out(1).
    q, k, v : In(stream of {data, last}). Spikes: a beat is a token, N beats a step, bit d the spike
        of dimension d. Values: a beat is one threshold 0..2**value_bits, N * D beats, along a
        token first.
    o : Out(stream of {data: Dv, last}), a token of output spikes per beat, N beats a step.

    Source: Song et al., "Stochastic Spiking Attention", arXiv 2402.09109.
    """

    def __init__(self, config):
        self.config = config
        super().__init__(ssa_ports(config))

    def elaborate(self, platform):
        m = Module()
        config = self.config

        # Start: scramble and load the seed, run, and stop with the last output beat.
        m.submodules.scrambler = scrambler = SeedScrambler()
        m.submodules.sent = sent = LoopNest(time=config.steps, token=config.tokens)
        run = Signal()
        m.d.comb += [
            scrambler.start.eq(self.start & ~self.busy),
            scrambler.seed.eq(self.seed),
            scrambler.keep.eq(self.busy),
            run.eq(self.busy & ~scrambler.busy),
            sent.step.eq(self.o.valid & self.o.ready),
            self.done.eq(sent.step & sent.time_last),
        ]
        with m.If(scrambler.start):
            m.d.sync += self.busy.eq(1)
        with m.If(self.done):
            m.d.sync += self.busy.eq(0)

        m.submodules.scores = scores = ScoreStage(config)
        m.submodules.output = output = OutputStage(config)
        seeded = [scores, output]

        # Operands: streams of rows or of values to double-buffered spikes.
        operands = {}
        for name in ENCODER_STREAMS:
            operands[name] = self._operand(m, name, seeded, run)
        for part in seeded:
            m.d.comb += [
                part.load.eq(scrambler.load),
                part.seed.eq(scrambler.o),
                part.warm.eq(scrambler.warm),
            ]

        # Score stage: Q and K to scores.
        m.submodules.score_memory = score_memory = BankMemory(
            banks=score_banks(config),
            depth=config.key_groups,
            granule_bits=config.query_lanes * config.key_lanes,
        )
        m.d.comb += [
            scores.run.eq(run),
            scores.q_full.eq(operands["q"].full),
            scores.k_full.eq(operands["k"].full),
            operands["q"].group.eq(scores.q_group),
            operands["k"].group.eq(scores.k_group),
            operands["q"].column.eq(scores.column),
            operands["k"].column.eq(scores.column),
            operands["q"].release.eq(scores.release),
            operands["k"].release.eq(scores.release),
            scores.q.eq(operands["q"].o),
            scores.k.eq(operands["k"].o),
            scores.s_free.eq(score_memory.free),
            score_memory.reserve.eq(scores.s_reserve),
            score_memory.w_addr.eq(scores.s_group),
            score_memory.w_data.eq(scores.s),
            score_memory.w_en.eq(scores.s_valid),
            score_memory.w_close.eq(scores.s_close),
        ]

        # Output stage: scores and V to rows, rows to the stream.
        m.submodules.rows = rows = RowOutput(
            config.tokens,
            config.value_dim,
            rows=config.query_lanes,
            depth=output_depth(config),
        )
        m.d.comb += [
            output.s_full.eq(score_memory.full),
            score_memory.r_addr.eq(output.s_group),
            output.s.eq(score_memory.r_data),
            score_memory.release.eq(output.s_release),
            output.v_full.eq(operands["v"].full),
            operands["v"].group.eq(output.v_group),
            operands["v"].column.eq(output.v_column),
            output.v.eq(operands["v"].o),
            operands["v"].release.eq(output.v_release),
            output.o_free.eq(rows.free),
            rows.reserve.eq(output.o_reserve),
            rows.i.eq(output.o),
            rows.i_valid.eq(output.o_valid),
        ]
        wiring.connect(m, rows.o, wiring.flipped(self.o))

        return m

    def _operand(self, m, name, seeded, run):
        """Memory of operand `name`, fed from its stream; encoders join `seeded`."""
        config = self.config
        port = getattr(self, name)
        width = config.width(name)
        by_value = config.inputs == "values"

        # Token and, for values, dimension of the beat on the stream: to check its `last`.
        m.submodules[f"{name}_beats"] = beats = LoopNest(
            token=config.tokens, dim=width if by_value else 1
        )
        m.d.comb += beats.step.eq(port.valid & port.ready)
        with m.If(beats.step & (port.payload.last != beats.token_last)):
            m.d.sync += self.misframed.eq(1)

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
        m.d.comb += [
            feed.i.payload.eq(port.payload.data),
            feed.i.valid.eq(port.valid),
            port.ready.eq(feed.i.ready),
        ]

        m.submodules[f"{name}_operand"] = operand = SpikeOperand(
            config.tokens,
            width,
            lanes=config.query_lanes if name == "q" else config.key_lanes,
            bits=config.bits,
            block_rows=config.query_lanes if by_value else 1,
            block_bits=config.encoder_lanes if by_value else config.bits,
        )
        wiring.connect(m, feed.o, operand.i)
        return operand
