"""Addresses of the words of V that a query reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Array, Const, Module
from amaranth.lib.wiring import In, Out

from ....blocks.component import Component
from ....blocks.pipeline import Pipeline
from ....random.modular import add_modulo
from .layout import value_delay, value_words

if TYPE_CHECKING:
    from ..core import SSA


class ValueAddress(Component):
    """``o_0 = (s + b) mod N`` and, for dimensions with ``d + s >= D``, ``o_1 = (s + b - D) mod N``.

    One query per cycle, `delay` cycles of latency.

    Members
    -------
    advance : In(1), clock enable. s : In(range(D)). b : In(range(N)).
    o_0, o_1 : Out(range(N)).
    """

    def __init__(self, config: SSA) -> None:
        self._config = config
        self.delay = value_delay(config)
        super().__init__(
            {
                "advance": In(1),
                "s": In(range(config.head_dim)),
                "b": In(range(config.tokens)),
                **{f"o_{n}": Out(range(config.tokens)) for n in range(value_words(config))},
            }
        )

    def elaborate(self, platform):
        m = Module()
        dims, tokens = self._config.head_dim, self._config.tokens
        pipeline = Pipeline(m, self.advance)

        s = self.s
        if dims > tokens:
            s = Array(Const(n % tokens, range(tokens)) for n in range(dims))[s]
        s, b = pipeline.register(s, "s_register"), pipeline.register(self.b, "b_register")
        first = pipeline.register(add_modulo(s, b, tokens), "first")
        second = add_modulo(first, Const(-dims % tokens, range(tokens)), tokens)

        for n, word in enumerate((first, second)[: value_words(self._config)]):
            waits = self.delay - 2
            m.d.comb += getattr(self, f"o_{n}").eq(pipeline.delay(word, waits, f"o_{n}_register"))

        return m
