"""One query lane: the spikes of a query are ANDed with K, rotated and ANDed with V."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib.wiring import In, Out

from ....blocks.component import Component
from ....blocks.pipeline import Pipeline
from .layout import lane_delay, rotate_levels, value_delay, value_words

if TYPE_CHECKING:
    from ..core import SSA


class QueryLane(Component):
    """``o[d] = q[c] AND k[c] AND v[d]`` with ``c = (d + s) mod D``, one query per cycle.

    The spikes of ``q AND k`` are rotated by `s`, one bit of `s` per level; the last level includes
    the AND with V. Where ``d + s`` exceeds D - 1, the second word of V is used, if there is one.

    Members
    -------
    advance : In(1), clock enable.
    q, k : In(D). s : In(range(D)), one cycle before them.
    v_0, v_1 : In(Dv), words of V, `layout.value_delay` cycles after k.
    o : Out(Dv), a cycle after V and `delay` cycles after k; not a register.
    """

    def __init__(self, config: SSA) -> None:
        self._config = config
        self.delay = lane_delay(config)
        super().__init__(
            {
                "advance": In(1),
                "q": In(config.head_dim),
                "k": In(config.head_dim),
                "s": In(range(config.head_dim)),
                **{f"v_{n}": In(config.value_dim) for n in range(value_words(config))},
                "o": Out(config.value_dim),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config
        dims, levels = config.head_dim, rotate_levels(config)
        pipeline = Pipeline(m, self.advance)
        dim_of = [d % dims for d in range(config.value_dim)]

        # The word of V for the last level.
        value = self.v_0
        if value_words(config) == 2:
            late = pipeline.delay(self.s, value_delay(config), "s_to_v")
            around = pipeline.register(Cat(late >= dims - x for x in range(dims)), "around")
            value = Cat(Mux(around[x], self.v_1[d], self.v_0[d]) for d, x in enumerate(dim_of))
        value = pipeline.register(value, "value")

        # The word of K is registered, because block RAM has a long output delay. For small D the
        # rotator is delayed to match V.
        spikes = pipeline.register(self.q, "q_held") & pipeline.register(self.k, "k_held")
        s = pipeline.delay(self.s, 2, "s")
        waits = value_delay(config) + 1 - levels
        spikes = pipeline.delay(spikes, waits, "matches_wait")
        s = pipeline.delay(s, waits, "s_wait")
        for level in range(levels):
            turn = s[0] if len(s) else 0
            turned = [Mux(turn, spikes[(x + 2**level) % dims], spikes[x]) for x in range(dims)]
            if level == levels - 1:
                m.d.comb += self.o.eq(Cat(turned[x] & value[d] for d, x in enumerate(dim_of)))
            else:
                spikes = pipeline.register(Cat(turned), f"turned_{level}")
                s = pipeline.register(s[1:], f"s_{level}_left")

        return m
