"""Engine "sampled" of the `ssa` core: two random indices per query, no counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import connect, flipped

from ....blocks.beat import drop_last
from ....blocks.claim_ahead import ClaimAhead
from ....blocks.component import Component
from ....blocks.control import control_of
from ....blocks.framed_input import FramedInput
from ....blocks.loop_nest import LoopNest
from ....blocks.pipeline import Pipeline
from ....blocks.row_gatherer import RowGatherer
from ....blocks.run_control import RunControl
from ....random.seed_scrambler import SeedScrambler
from ..core import ENCODER_STREAMS
from ..ports import ssa_ports
from ..value_operand import ValueOperand
from .admission import Admission
from .diagonal_operand import DiagonalOperand
from .index_source import IndexSource
from .layout import (
    feed_beats,
    groups,
    index_delay,
    lane_delay,
    mask_delay,
    queue_depth,
    read_delay,
    rounds,
    value_delay,
    value_words,
)
from .output_queue import OutputQueue
from .query_lane import QueryLane
from .value_address import ValueAddress

if TYPE_CHECKING:
    from ..core import SSA


class SampledSSA(Component):
    """Stochastic spiking attention over T time steps by index sampling.

    Per time step and query i, with `s` uniform below D and `b` uniform below N::

        c = (d + s) mod D,  j = (c + b) mod N
        Attn[i, d] = Q[i, c] AND K[j, c] AND V[j, d]

    which is 1 with probability ``1/(D N) * sum_j sum_c Q[i, c] K[j, c] V[j, d]``, as with counters.
    K and V are stored by diagonals, so that all c of a query are one word of K and all d one word
    of V; in between, the spikes of Q AND K are rotated by `s`.

    Each cycle processes `lanes` queries of `steps_at_once` time steps. Q is not stored. K and V are
    buffered for `layout.banks` rounds.

    Parameters
    ----------
    config : SSA with engine "sampled".

    Members
    -------
    start, seed, busy, done, misframed : as for `SSA`.
    k, v : In(stream of {data, last}). A beat is a token of each of the `steps_at_once` time steps
        of a round, the first in the lowest bits; N beats a round. With ``feed = "diagonals"`` it is
        `feed_rate` diagonals of each of them; ``ceil(N / feed_rate)`` beats a round.
    q : In(stream of {data, last}), o : Out(stream of {data, last}). A beat is `lanes` neighbouring
        tokens of the first time step, then of the second, ...; ``ceil(N / lanes)`` beats per round.

    With ``inputs = "values"`` the operand streams are those of `SSA`.

    Source of the distribution: Song et al., arXiv 2402.09109. The draw is our own.
    """

    def __init__(self, config: SSA) -> None:
        self.config = config
        super().__init__(ssa_ports(config))

    def elaborate(self, platform):
        m = Module()
        config = self.config

        # Start: scramble and load the seed, run until the last output beat.
        m.submodules.run_control = run_control = RunControl(1)
        m.submodules.scrambler = scrambler = SeedScrambler()
        connect(m, control_of(self), run_control.control)
        m.d.comb += [
            scrambler.start.eq(run_control.begin),
            scrambler.seed.eq(self.seed),
            scrambler.keep.eq(self.busy),
        ]

        m.submodules.indices = indices = IndexSource(config)
        seeded, misframed = [indices], []
        q, k, v = (self._rows(m, name, seeded, misframed, scrambler) for name in ENCODER_STREAMS)
        connect(m, scrambler.seeding, *(part.seeding for part in seeded))
        wrong = Signal(len(misframed))  # a register, as `ready` of a stream is not one
        m.d.sync += wrong.eq(Cat(misframed))
        with m.If(wrong.any()):
            m.d.sync += self.misframed.eq(1)
        m.submodules.k_operand = k_operand = DiagonalOperand(config, "k")
        m.submodules.v_operand = v_operand = DiagonalOperand(config, "v", words=value_words(config))
        connect(m, k, k_operand.i)
        connect(m, v, v_operand.i)

        # The pipeline: a query is issued only if the output queue has a place for it.
        m.submodules.output = output = OutputQueue(
            len(self.o.payload.as_value()), queue_depth(config)
        )
        advance = output.advance
        pipeline = Pipeline(m, advance)
        m.submodules.round_banks = round_banks = ClaimAhead()
        m.submodules.issued = issued = LoopNest(round=rounds(config), group=groups(config))
        issue, leave = Signal(), Signal()
        m.d.comb += [
            q.ready.eq(round_banks.granted & indices.ready & output.free),
            issue.eq(q.ready & q.valid),
            leave.eq(issue & issued.group_last),
            issued.step.eq(issue),
            indices.step.eq(issue),
            indices.last.eq(issued.round_last),
            indices.advance.eq(advance),
            k_operand.advance.eq(advance),
            v_operand.advance.eq(advance),
            output.begin.eq(issue),
        ]
        # Banks are released when the last queries of a round have been read.
        before_read = index_delay(config) + mask_delay(config)
        k_release = pipeline.delay(leave, before_read, "k_release", reset_less=False)
        v_release = pipeline.delay(k_release, value_delay(config), "v_release", reset_less=False)
        m.d.comb += [
            round_banks.available.eq(k_operand.full & v_operand.full),
            round_banks.done.eq(leave),
            k_operand.claim.eq(round_banks.claim),
            k_operand.release.eq(k_release & advance),
            v_operand.claim.eq(round_banks.claim),
            v_operand.release.eq(v_release & advance),
        ]

        rows = []
        for n in range(config.steps_at_once * config.lanes):
            query = q.payload[n * config.head_dim : (n + 1) * config.head_dim]
            rows.append(
                self._lane(m, pipeline, n, query, issued.group, indices, k_operand, v_operand)
            )

        latency = before_read + read_delay(config) + lane_delay(config)
        m.d.comb += [
            output.valid.eq(pipeline.delay(issue, latency, "valid", reset_less=False)),
            output.data.eq(Cat(*rows, pipeline.delay(issued.group_last, latency, "last"))),
            output.final.eq(
                pipeline.delay(issue & issued.round_last, latency, "final", reset_less=False)
            ),
            run_control.last.eq(output.ended),
            self.o.payload.eq(output.o.payload),
            self.o.valid.eq(output.o.valid),
            output.o.ready.eq(self.o.ready),
        ]

        return m

    def _lane(self, m, pipeline, n, query, group, indices, k_operand, v_operand):
        """Output spikes of lane `n`, by time step, then query lane."""
        config = self.config
        s, b = getattr(indices, f"s_{n}"), getattr(indices, f"b_{n}")
        spikes = pipeline.delay(query, index_delay(config), f"q_{n}")
        if config.mask != "none":
            m.submodules[f"admission_{n}"] = admission = Admission(config)
            number = Signal(range(config.tokens + config.lanes), name=f"query_{n}")
            m.d.comb += number.eq(group * config.lanes + n % config.lanes)
            m.d.comb += [
                admission.advance.eq(pipeline.advance),
                admission.i.eq(spikes),
                admission.query.eq(pipeline.delay(number, index_delay(config), f"query_{n}")),
                admission.b.eq(b),
            ]
            spikes = admission.o
            s = pipeline.delay(s, mask_delay(config), f"s_{n}")
            b = pipeline.delay(b, mask_delay(config), f"b_{n}")

        m.submodules[f"address_{n}"] = address = ValueAddress(config)
        m.submodules[f"lane_{n}"] = lane = QueryLane(config)
        words = value_words(config)
        m.d.comb += [
            address.advance.eq(pipeline.advance),
            address.s.eq(s),
            address.b.eq(b),
            lane.advance.eq(pipeline.advance),
            lane.q.eq(pipeline.delay(spikes, read_delay(config), f"q_{n}_to_k")),
            lane.s.eq(pipeline.delay(s, read_delay(config) - 1, f"s_{n}_to_k")),
            getattr(k_operand, f"b_{n}").eq(b),
            lane.k.eq(getattr(k_operand, f"o_{n}")),
        ]
        for word in range(words):
            read = n * words + word
            m.d.comb += [
                getattr(v_operand, f"b_{read}").eq(getattr(address, f"o_{word}")),
                getattr(lane, f"v_{word}").eq(getattr(v_operand, f"o_{read}")),
            ]
        return lane.o

    def _rows(self, m, name, seeded, misframed, scrambler):
        """Stream of operand `name`'s rows.

        Appends encoders to `seeded`, and to `misframed` whether the current beat has a wrong
        ``last``.
        """
        config = self.config
        port = getattr(self, name)
        width = config.width(name)
        by_value = config.by_value

        beats = groups(config) if name == "q" else feed_beats(config)
        m.submodules[f"{name}_framed"] = framed = FramedInput(
            port.payload.shape(), beat=beats, dim=width if by_value else 1
        )
        connect(m, flipped(port), framed.i)
        misframed.append(framed.misframed & port.ready)

        rows = stream.Signature(config.spike_bits(name)).create(path=(f"{name}_rows",))
        if by_value:
            m.submodules[f"{name}_encoder"] = encoder = ValueOperand(
                config.tokens,
                width,
                steps=config.steps,
                value_bits=config.value_bits,
                rows=1,
                lanes=config.bits,
                strategy=config.random,
                stream_number=ENCODER_STREAMS[name],
            )
            m.submodules[f"{name}_gatherer"] = gatherer = RowGatherer(
                config.bits, width // config.bits
            )
            seeded.append(encoder)
            m.d.comb += [
                encoder.run.eq(self.busy & ~scrambler.busy),
                gatherer.i.payload.data.eq(encoder.o.payload),
                gatherer.i.valid.eq(encoder.o.valid),
                encoder.o.ready.eq(gatherer.i.ready),
            ]
            drop_last(m, framed.o, encoder.i)
            drop_last(m, gatherer.o, rows)
        else:
            drop_last(m, framed.o, rows)
        return rows
