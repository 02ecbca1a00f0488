"""The last layer: a linear layer of sums over tokens and steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..exact import exact_product
from ..ranges import Bounds, Range
from ..signals import Logits, Signal
from .weighted import Weighted, ones

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier(Weighted):
    """``logits[o] = sum over t, n and i of x[t, n, i] weight[i, o] + bias[o]``.

    The class is the largest logit, the first one if several are equal.
    """

    KIND = "classifier"

    def output(self, sources: Sequence[Signal]) -> Logits:
        self.take(sources, 1)
        (x,) = self.spikes(sources)
        self.need_rows(x.dims, f"input {self.inputs[0]} has")
        return Logits(self.outputs)

    def bounds(self, sources: Sequence[Signal]) -> Bounds:
        (x,) = self.spikes(sources)
        times = x.steps * x.tokens
        current = self.current(times * x.high, times * x.low)
        return Bounds(current, None, current)

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        (x,) = self.spikes(sources)
        counts = inputs[0].sum((1, 2), dtype=np.int64)
        times = x.steps * x.tokens
        sums: Range = self.sums(times * x.high, times * x.low)
        return (exact_product(counts, self.weight, sums) + self.bias).astype(np.int32)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        return ones(inputs[0]) * self.outputs
