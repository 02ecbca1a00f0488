"""Admission: removes from a query the dimensions whose key the mask excludes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from ....blocks.component import Component
from ....blocks.pipeline import Pipeline
from ....random.modular import add_modulo
from .layout import mask_delay

if TYPE_CHECKING:
    from ..core import SSA


class Admission(Component):
    """``o[c] = i[c] AND (mask admits key (c + b) mod N)``, `delay` cycles later.

    Under "causal" the admitted c lie between ``-b`` and ``query - b``, modulo N; under "self" all
    but ``query - b`` are admitted.

    Members
    -------
    advance : In(1), clock enable. i : In(D). query, b : In(range(N)). o : Out(D).
    """

    def __init__(self, config: SSA) -> None:
        self._config = config
        self.delay = mask_delay(config)
        super().__init__(
            {
                "advance": In(1),
                "i": In(config.head_dim),
                "query": In(range(config.tokens)),
                "b": In(range(config.tokens)),
                "o": Out(config.head_dim),
            }
        )

    def elaborate(self, platform):
        m = Module()
        tokens = self._config.tokens
        pipeline = Pipeline(m, self.advance)

        begin = Signal.like(self.b)
        m.d.comb += begin.eq(Mux(self.b == 0, 0, tokens - self.b))
        end = add_modulo(begin, self.query, tokens)
        own = pipeline.register(end, "end")
        places = [c % tokens for c in range(self._config.head_dim)]
        if self._config.mask == "self":
            differs = [own != c for c in range(tokens)]
            admitted = pipeline.register(Cat(differs), "admitted")
        else:
            first = pipeline.register(begin, "begin")
            around = pipeline.register(pipeline.register(end < begin, "end_first"), "around")
            # No key is before the first one, or behind the last.
            behind = [*(c >= first for c in range(tokens - 1)), Const(1)]
            before = [Const(1), *(c <= own for c in range(1, tokens))]
            from_begin = pipeline.register(Cat(behind), "from_begin")
            to_end = pipeline.register(Cat(before), "to_end")
            admitted = Mux(around, from_begin | to_end, from_begin & to_end)

        spikes = pipeline.delay(self.i, 2, "spikes")
        chosen = Cat(admitted[place] for place in places)
        m.d.comb += self.o.eq(pipeline.register(spikes & chosen, "o_register"))

        return m
