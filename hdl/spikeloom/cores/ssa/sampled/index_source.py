"""Index source: the indices of each query, drawn independently or derived from a lattice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ....blocks.component import Component
from ....blocks.loop_nest import LoopNest
from ....blocks.pipeline import Pipeline
from ....blocks.seeding import Seeding
from ....random.lattice import lattice
from ....random.modular import add_modulo
from ....random.random_source import RandomSource
from ..core import OUTPUT_STREAM, SCORE_STREAM
from .layout import groups, index_delay

if TYPE_CHECKING:
    from ..core import SSA


class IndexSource(Component):
    """Indices `s` (below D) and `b` (below N) of the queries issued together.

    "lfsr": both are drawn for every query and time step. "stratified": both are drawn once per
    query, and a lattice offsets them in each time step, so that all pairs of dimension and key
    occur before one repeats. The draws are reproduced by reloading the seed, two cycles per round.

    Members
    -------
    seeding : In(Seeding()).
    ready : Out(1), a step is allowed.
    step : In(1), advance to the next queries.
    last : In(1), the current queries are the last of the run.
    advance : In(1), clock enable of the outputs.
    s_0, s_1, ... : Out(range(D)), b_0, b_1, ... : Out(range(N)), by time step, then query lane;
        `delay` cycles after their step.
    """

    def __init__(self, config: SSA) -> None:
        self._config = config
        self.delay = index_delay(config)
        lanes = config.steps_at_once * config.lanes
        super().__init__(
            {
                "seeding": In(Seeding()),
                "ready": Out(1),
                "step": In(1),
                "last": In(1),
                "advance": In(1),
                **{f"s_{n}": Out(range(config.head_dim)) for n in range(lanes)},
                **{f"b_{n}": Out(range(config.tokens)) for n in range(lanes)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config
        stratified = config.indices == "stratified"
        lanes = config.lanes * (1 if stratified else config.steps_at_once)

        # Stratified: after the last queries of a round, load the seed and warm up again.
        again = Signal(2)
        if stratified:
            m.submodules.queries = queries = LoopNest(group=groups(config))
            m.d.comb += queries.step.eq(self.step)
            ends_round = self.step & queries.group_last & ~self.last
            m.d.sync += again.eq(Cat(ends_round, again))
            ends = queries.group_last
        else:
            ends = self.last
        seeding: Any = Seeding().create(path=("sources",))
        m.d.comb += [
            seeding.load.eq(self.seeding.load | again[0]),
            seeding.seed.eq(self.seeding.seed),
            seeding.warm.eq(self.seeding.warm | again[1]),
        ]
        with m.If(seeding.warm):
            m.d.sync += self.ready.eq(1)
        with m.Elif(self.step & ends):
            m.d.sync += self.ready.eq(0)

        # Numbers are drawn one cycle ahead and buffered if no step follows, so that `renew`, which
        # drives every LFSR, is a register.
        renew = Signal(init=1)
        m.d.sync += renew.eq(self.step | ~self.ready)
        drawn = {}
        for name, limit, number in (
            ("s", config.head_dim, SCORE_STREAM),
            ("b", config.tokens, OUTPUT_STREAM),
        ):
            m.submodules[f"source_{name}"] = source = RandomSource(
                lanes, limit, strategy=config.random, stream=number
            )
            wiring.connect(m, seeding, source.seeding)
            m.d.comb += source.step.eq(renew)
            drawn[name] = []
            for n in range(lanes):
                aside = Signal(len(source.number(n)), name=f"{name}_{n}_aside")
                now = Mux(renew, source.number(n), aside)
                m.d.sync += aside.eq(now)
                drawn[name].append(now)

        if stratified:
            self._walk(m, drawn, again[0])
        else:
            for name, numbers in drawn.items():
                for n, number in enumerate(numbers):
                    m.d.comb += getattr(self, f"{name}_{n}").eq(number)

        return m

    def _walk(self, m, drawn, next_round):
        """Add the lattice offsets of each time step to the numbers drawn."""
        config = self._config
        pipeline = Pipeline(m, self.advance)
        walk = lattice(config.head_dim, config.tokens)
        s_move, b_move = walk.moves(config.steps_at_once)
        rest = config.steps_at_once % config.head_dim
        for step in range(config.steps_at_once):
            place = Signal(range(config.head_dim), name=f"place_{step}")  # time step mod D
            s = Signal(range(config.head_dim), name=f"s_offset_{step}")
            b = Signal(range(config.tokens), name=f"b_offset_{step}")
            laps = place >= config.head_dim - rest if rest else Const(0)
            rounds = s >= config.head_dim - s_move if s_move else Const(0)
            b_moves = Array(
                Const(b_move(lap, round_), range(config.tokens))
                for round_ in (0, 1)
                for lap in (0, 1)
            )
            s_start, b_start = walk.offset(step)
            with m.If(self.seeding.load):
                m.d.sync += [place.eq(step % config.head_dim), s.eq(s_start), b.eq(b_start)]
            with m.Elif(next_round):
                m.d.sync += [
                    place.eq(add_modulo(place, Const(rest), config.head_dim)),
                    s.eq(add_modulo(s, Const(s_move), config.head_dim)),
                    b.eq(add_modulo(b, b_moves[Cat(laps, rounds)], config.tokens)),
                ]
            for name, offset, limit in (("s", s, config.head_dim), ("b", b, config.tokens)):
                for lane, number in enumerate(drawn[name]):
                    n = step * config.lanes + lane
                    moved = add_modulo(number, offset, limit)
                    m.d.comb += getattr(self, f"{name}_{n}").eq(
                        pipeline.register(moved, f"{name}_{n}_moved")
                    )
