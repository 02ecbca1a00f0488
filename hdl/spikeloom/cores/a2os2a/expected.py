"""Expected cycles of both orders of `a2os2a`, from the densities of the operands.

Without Amaranth, as the golden model needs the order too. Waits and the cycles at the ends are left
out; `schedule.cycles` is exact for given operands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import A2OS2A


@dataclass(frozen=True)
class Densities:
    """Shares of the elements of Q, K and V that are not zero."""

    q: float
    k: float
    v: float

    @classmethod
    def of(cls, operands: Mapping[str, NDArray]) -> Self:
        """The densities of operands "q", "k" and "v"."""
        return cls(**{name: float(np.mean(np.asarray(operands[name]) != 0)) for name in "qkv"})


# Median of the layers of a network with this attention, trained on images of 7 x 7 patches.
TRAINED = Densities(q=0.33, k=0.24, v=0.24)


def faster_order(core: A2OS2A, densities: Densities) -> str:
    """ "qk" or "kv", whichever is expected to take fewer cycles."""
    return min(("qk", "kv"), key=lambda order: expected_cycles(core, order, densities))


def expected_cycles(core: A2OS2A, order: str, densities: Densities) -> float:
    """Expected cycles of a step in `order`, with zeros drawn independently."""
    tokens, lanes = core.tokens, core.lanes
    if order == "kv":
        learn = any_of(densities.v, lanes) * (_events(densities.k, lanes) - 1) + 1
        answer = _events(densities.q, lanes)
        first = core.head_dim * core.groups  # sets every word of the state
        return first + core.chunks * core.groups * ((tokens - 1) * learn + tokens * answer)
    pairs = tokens * tokens
    if core.mask == "causal":
        pairs = tokens * (tokens + 1) / 2
    kept = any_of(densities.k, core.head_dim) * any_of(densities.v, core.value_dim)
    rows = kept * pairs / tokens  # stored tokens per query
    reads = max(1, any_of(densities.q, core.head_dim) * rows * core.chunks)
    scores = max(1, rows * any_of(densities.q * densities.k, core.head_dim)) * core.groups
    return tokens * max(core.chunks, core.groups) + tokens * max(reads, scores)


def any_of(density: float, count: int) -> float:
    """Probability that any of `count` elements is not zero."""
    return 1 - (1 - density) ** count


def _events(density, count):
    """Expected cycles of a row of `count` elements: one per nonzero element, at least one."""
    return count * density + (1 - density) ** count
