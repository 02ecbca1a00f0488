"""The `trace_product` unit: keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...configuration import DIM_WHY, LANES_WHY, MAX_DIM, MAX_HELD, MAX_LANES, integer
from ...item import Item, PhaseCode, SInt
from ...port import Port
from ...work import Work
from ..phase_coded import PhaseCoded
from ..spiked.core import Spiked
from ..spiked.work import product_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component

HELD_WHY = "the core holds both matrices on chip"
FIRST_EVENT = 4  # cycles from the last code of a to the first event
FIRST_LANES = 2  # cycles from the last code of b to the first read of its lanes


@dataclass(frozen=True, kw_only=True)
class TraceProductUnit(PhaseCoded):
    """Product of two matrices of one-spike codes, a (lines x length) and b (tokens x length)::

        o[l, t] = sum_x a[l, x] * b[t, x]

    A code represents ``sign * B**-n``. Sums have `frac_bits` fraction bits and cannot overflow.
    Spikes of a are processed one after the other. Each looks up its products with the codes of
    `lanes` tokens and adds them to their sums or subtracts them. One cycle per spike and group of
    lanes; a line without spikes takes one cycle per group.
    """

    NAME = "trace_product"
    VIEWS = ("values", "sums")
    SUMMARY = "trace-driven product: matrices of one-spike codes, one vector addition per spike"
    UNROLL = ("lanes",)
    CYCLES_FOLLOW_DATA = True
    SIZE_KEYS = ("tokens", "lines")
    CASES = {
        "one code": {"lines": 1, "length": 1, "tokens": 1, "steps": 1},
        "one line": {"lines": 1, "length": 9, "tokens": 4},
        "one token": {"lines": 7, "length": 5, "tokens": 1},
        "length 1": {"lines": 6, "length": 1, "tokens": 5, "lanes": 2},
        "one lane": {"lines": 4, "length": 6, "tokens": 5, "steps": 16, "base": 1.4},
        "all lanes": {"lines": 6, "length": 4, "tokens": 5, "lanes": 5},
        "partial group": {"lines": 6, "length": 4, "tokens": 11, "lanes": 4},
        "many groups, few spikes": {"lines": 20, "length": 2, "tokens": 9, "lanes": 2},
        "64 steps, B near 1": {
            **{"lines": 5, "length": 7, "tokens": 6, "lanes": 3, "steps": 64, "base": 1.001},
        },
        "fewest bits, B = 2": {
            **{"lines": 5, "length": 8, "tokens": 8, "lanes": 8, "steps": 9, "base": 2.0},
            **{"frac_bits": 8},
        },
        "most bits": {"lines": 3, "length": 17, "tokens": 3, "lanes": 2, "frac_bits": 28},
        "more lines than tokens": {"lines": 15, "length": 3, "tokens": 2, "lanes": 2},
        "more tokens than lines": {"lines": 2, "length": 3, "tokens": 21, "lanes": 5},
    }
    MUTANTS = {
        "partial group": CASES["partial group"],
        "many groups, few spikes": CASES["many groups, few spikes"],
    }

    lines: int = integer("lines of a", low=1, high=MAX_HELD, why=HELD_WHY)
    length: int = integer("codes of a line, and of a token of b", low=1, high=MAX_DIM, why=DIM_WHY)
    tokens: int = integer("tokens of b", low=1, high=MAX_HELD, why=HELD_WHY)
    lanes: int = integer(
        "tokens per spike event and cycle", low=1, high=MAX_LANES, default=1, why=LANES_WHY
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lanes > self.tokens:
            raise self.error("lanes", self.lanes, f"at most tokens ({self.tokens})")

    @property
    def stage(self) -> Spiked:
        """The `spiked` core with this score product."""
        lanes = {"lanes": self.lanes, "encoders": self.lanes}
        return self.stage_of(tokens=self.tokens, head_dim=self.length, **lanes)

    @property
    def groups(self) -> int:
        """Groups of `lanes` tokens; the last may be partial."""
        return -(-self.tokens // self.lanes)

    @property
    def inputs(self) -> dict[str, Port]:
        def port(rows: int) -> Port:
            item = PhaseCode(self.steps)
            return Port(axes="ND", shape=(rows, self.length), item=item, beat=(1, 1), closes="N")

        return {"a": port(self.lines), "b": port(self.tokens)}

    @property
    def outputs(self) -> dict[str, Port]:
        largest = self.length << self.frac_bits
        item: Item = SInt(largest.bit_length() + 1)
        shape, beat = (self.lines, self.tokens), (1, self.lanes)
        return {"o": Port(axes="ND", shape=shape, item=item, beat=beat, closes="N")}

    def component(self) -> Component:
        from .component import ProductStream

        return ProductStream(self.stage, self.lines, self.length)

    def golden(self, *, a: NDArray, b: NDArray) -> dict[str, NDArray]:
        from ..spiked.golden import trace_product

        sums = trace_product(self.stage, a, b)
        return {"o": sums.astype(self.outputs["o"].item.dtype)}

    def cycles(self, *, a: NDArray | None = None, b: NDArray | None = None) -> int:
        """Exact for given a; otherwise the maximum, for a spike in every place. Independent of
        b."""
        from ...blocks.queued_stage import QUEUE_DELAY
        from ..spiked.trace_product import product_delay

        if a is None:
            spikes = np.full(self.lines, self.length)
        else:
            spikes = np.count_nonzero(a, axis=1)
        first = max(self.lines * self.length + FIRST_EVENT, self.tokens * self.length + FIRST_LANES)
        events = self.groups * int(np.maximum(spikes, 1).sum())
        # A cycle between parts of as many lines as lanes, unless a line of zeros is repeated in it.
        last_lines = spikes[self.lanes - 1 : self.lines - 1 : self.lanes]
        waits = np.count_nonzero(last_lines) if self.groups > 1 else len(last_lines)
        return first + events + int(waits) - 1 + product_delay(self.stage) + QUEUE_DELAY

    def cycle_formula(self) -> str:
        from ...blocks.queued_stage import QUEUE_DELAY
        from ..spiked.trace_product import product_delay

        delay = product_delay(self.stage) + QUEUE_DELAY - 2
        loads = f"lines * length + {FIRST_EVENT}, tokens * length + {FIRST_LANES}"
        return (
            f"{delay} + max({loads}) + ceil(tokens / lanes) * spikes + parts; "
            "spikes: of a line of a, at least 1, summed over the lines; "
            "parts: ceil(lines / lanes), without those before the last that end with a line of "
            "zeros if tokens > lanes"
        )

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        densities = self.densities_or_typical(densities)
        spikes, pairs = (
            densities["a"] * self.lines * self.length,
            densities["a"] * densities["b"] * self.lines * self.tokens * self.length,
        )
        if operands:
            a, b = operands["a"], operands["b"]
            spikes = int(np.count_nonzero(a))
            pairs = int(np.count_nonzero(a, axis=0) @ np.count_nonzero(b, axis=0))
        return product_work(self.stage, self.tokens, self.lines, self.length, spikes, pairs)

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        return self.sum_views()
