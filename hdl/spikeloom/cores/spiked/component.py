"""Hardware of the `spiked` core: attention of one-spike codes with additions only."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out, connect, flipped

from ...blocks.beat import beat
from ...blocks.component import Component
from ...blocks.control import control_members, control_of
from ...blocks.framed_input import FramedInput
from ...blocks.group_counter import GroupCounter
from ...blocks.held_splitter import HeldSplitter
from ...blocks.loop_nest import LoopNest
from ...blocks.run_control import RunControl
from .code import code_bits, signed_code, unsigned_code
from .event_memory import EventMemory
from .lane_memory import LaneMemory, fill_from_stream
from .output_encoder import OutputEncoder
from .phase_encoder import PhaseEncoder
from .trace_product import TraceProduct
from .woss import Woss, silent_row

if TYPE_CHECKING:
    from amaranth.lib import data

    from .core import Spiked


OUTPUT_BANKS = 2  # a group of output codes is sent, one is computed


def group_banks(config: Spiked) -> int:
    """Groups of probabilities in memory: one is read, one is known, and one is computed, unless
    they are groups of different heads."""
    return 3 if config.groups > 1 else 2


def token_beat(config: Spiked, width: int) -> data.StructLayout:
    """Payload of a stream beat: the codes of a token, and `last` for the last beat of a tensor."""
    return beat(width * code_bits(config.steps))


class SpikedComponent(Component):
    """SpikedAttention: softmax attention of one-spike phase codes.

    With codes that decode to ``sign * B**-n``::

        score  = code( Q K^T * q_scale * k_scale / sqrt(D) / score_scale )
        p      = woss( score )
        output = code( (p V / sum p) * v_scale / output_scale )

    Operands of two heads are buffered, and accepted even before `start`. Loading, scores, outputs
    and sending form a pipeline. Outputs follow scores by groups of `lanes` queries, the other
    stages by heads; see `schedule` for the cycles.

    Parameters
    ----------
    config : Spiked.

    Members
    -------
    start : In(1), process `heads` heads; ignored while `busy` is high.
    busy : Out(1), high from the cycle after `start` to the last output beat.
    done : Out(1), high for one cycle, after the transfer of the last output beat.
    misframed : Out(1), a ``last`` was not at the end of a tensor; high until reset.
    q, k, v : In(stream of {data, last}), a token of codes (`signed_code`) per beat, dimension 0 in
        the lowest bits, N beats per head.
    o : Out(stream of {data, last}), in the same format.

    Source: "SpikedAttention", NeurIPS 2024.
    """

    def __init__(self, config: Spiked) -> None:
        self.config = config
        widths = {"q": config.head_dim, "k": config.head_dim, "v": config.value_dim}
        ports = {
            name: In(stream.Signature(token_beat(config, width))) for name, width in widths.items()
        }
        super().__init__(
            {
                **control_members(),
                "misframed": Out(1),
                **ports,
                "o": Out(stream.Signature(token_beat(config, config.value_dim))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config

        # Start: admit `heads` heads to the score stage, and stop with the last output beat.
        m.submodules.taken = taken = LoopNest(head=config.heads)
        m.submodules.sent = sent = GroupCounter(config.tokens, config.lanes)
        m.submodules.run_control = run_control = RunControl(config.heads)
        connect(m, control_of(self), run_control.control)
        run = Signal()
        m.d.comb += [
            sent.step.eq(self.o.valid & self.o.ready),
            run_control.last.eq(sent.step & sent.last),
        ]
        with m.If(run_control.begin):
            m.d.sync += run.eq(1)
        with m.If(taken.step & taken.head_last):
            m.d.sync += run.eq(0)

        q_events, k_lanes, v_events = self._operands(m)
        p_lanes = self._scores(m, q_events, k_lanes, run, taken)
        tensor = self._outputs(m, v_events, p_lanes).o

        # Transpose dimensions back to tokens, group by group; the next token is read while one is
        # sent.
        m.d.comb += [
            tensor.addr.index[0].eq(
                Mux(sent.step, Mux(sent.place_last, 0, sent.place + 1), sent.place)
            ),
            tensor.release.eq(sent.step & sent.place_last),
            self.o.payload.data.eq(tensor.data[0]),
            self.o.payload.last.eq(sent.last),
        ]
        m.d.sync += self.o.valid.eq(tensor.full & ~tensor.release)

        return m

    def _operands(self, m):
        """Memories of Q's events, K's codes and V's events, filled from the streams.

        V is extended by a dimension of ones, whose output is the sum of the probabilities.
        """
        config, shape = self.config, signed_code(self.config.steps)
        tokens, head_dim, value_dim = config.tokens, config.head_dim, config.value_dim
        one = Signal(shape)
        m.d.comb += one.spike.eq(1)
        m.submodules.q_events = q_events = EventMemory(
            tokens, head_dim, steps=config.steps, transposed=False, ways=config.events
        )
        m.submodules.k_lanes = k_lanes = LaneMemory(
            tokens,
            head_dim,
            lanes=config.lanes,
            block=1,
            shape=shape,
            ways=config.events,
            delay=2,
            relaxed=True,
            late=True,
        )
        m.submodules.v_events = v_events = EventMemory(
            value_dim + 1, tokens, steps=config.steps, transposed=True, ways=config.events
        )
        misframed = []
        q_codes, k_codes, v_codes = (
            self._codes(m, name, extra, misframed)
            for name, extra in (("q", []), ("k", []), ("v", [one]))
        )
        with m.If(Cat(misframed).any()):
            m.d.sync += self.misframed.eq(1)
        connect(m, q_codes, q_events.i)
        connect(m, v_codes, v_events.i)
        fill_from_stream(m, k_lanes, k_codes)
        return q_events, k_lanes, v_events

    def _scores(self, m, q_events, k_lanes, run, taken):
        """Products of Q's spikes with K, row by row; their codes; probabilities."""
        config = self.config
        tokens = config.tokens
        m.submodules.scores = scores = TraceProduct(
            config, tokens, config.head_dim, shape=signed_code(config.steps)
        )
        m.submodules.woss = woss = Woss(config)
        m.submodules.p_lanes = p_lanes = LaneMemory(
            tokens,
            tokens,
            lanes=config.lanes,
            block=config.encoders,
            shape=unsigned_code(config.steps),
            banks=group_banks(config),
            by_group=True,
            ways=config.events,
            delay=2,
            silent=partial(silent_row, config),
        )
        connect(m, scores.events, q_events.o)
        connect(m, scores.lanes, k_lanes.o)
        connect(m, scores.room, p_lanes.room)
        m.d.comb += [scores.run.eq(run), taken.step.eq(scores.lanes.release)]
        for n in range(config.encoders):
            m.submodules[f"score_encoder_{n}"] = encoder = PhaseEncoder(
                config, scores.o[n].shape(), gain=config.score_gain
            )
            m.d.comb += [
                encoder.i.eq(scores.o[n]),
                encoder.i_valid.eq(scores.o_valid),
                woss.i[n].eq(encoder.o),
            ]
        silent = Signal(PhaseEncoder.delay)
        m.d.sync += silent.eq(Cat(scores.o_silent, silent))
        m.d.comb += [
            woss.i_valid.eq(encoder.o_valid),
            woss.i_silent.eq(silent[-1]),
            p_lanes.i.eq(woss.o),
            p_lanes.i_valid.eq(woss.o_valid),
            p_lanes.i_silent.eq(woss.o_silent),
        ]
        return p_lanes

    def _outputs(self, m, v_events, p_lanes):
        """Products of V's spikes with the probabilities of a group of queries, dimension by
        dimension, as soon as they are known; their codes."""
        config = self.config
        tokens, value_dim = config.tokens, config.value_dim
        m.submodules.outputs = outputs = TraceProduct(
            config, value_dim + 1, tokens, shape=unsigned_code(config.steps), by_group=True
        )
        m.submodules.output_encoder = output_encoder = OutputEncoder(config, config.lanes)
        m.submodules.o_lanes = o_lanes = LaneMemory(
            value_dim,
            config.lanes,
            lanes=value_dim,
            block=config.encoders,
            shape=signed_code(config.steps),
            banks=OUTPUT_BANKS,
            preset=True,
            relaxed=True,
        )
        connect(m, outputs.events, v_events.o)
        connect(m, outputs.lanes, p_lanes.o)
        connect(m, outputs.room, o_lanes.room)
        m.d.comb += [
            outputs.run.eq(1),
            output_encoder.i.eq(outputs.o),
            output_encoder.i_valid.eq(outputs.o_valid),
            output_encoder.i_silent.eq(outputs.o_silent),
            o_lanes.i.eq(output_encoder.o),
            o_lanes.i_valid.eq(output_encoder.o_normaliser | output_encoder.o_valid),
            o_lanes.i_silent.eq(output_encoder.o_silent),
        ]
        return o_lanes

    def _codes(self, m, name, extra, misframed):
        """Stream of single codes of operand `name`; the codes `extra` precede those of each token.

        Appends to `misframed` whether the current beat has a wrong ``last``.
        """
        port = getattr(self, name)
        m.submodules[f"{name}_framed"] = framed = FramedInput(
            port.payload.shape(), token=self.config.tokens
        )
        connect(m, flipped(port), framed.i)
        misframed.append(framed.misframed & port.ready)

        row = Cat(*extra, framed.o.payload.data)
        m.submodules[f"{name}_feed"] = feed = HeldSplitter(len(row), code_bits(self.config.steps))
        m.d.comb += [
            feed.i.payload.eq(row),
            feed.i.valid.eq(framed.o.valid),
            framed.o.ready.eq(feed.i.ready),
        ]
        return feed.o
