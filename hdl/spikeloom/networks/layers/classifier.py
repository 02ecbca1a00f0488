"""The last layer: a linear layer of sums over tokens and steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..exact import exact_product
from ..ranges import Bounds, Range
from ..signals import Logits, Signal, Spikes
from .linear import horner
from .weighted import Weighted, ones

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier(Weighted):
    """``logits[o] = sum over t, n and i of x[t, n, i] weight[i, o] + bias[o]``.

    The steps of a phase code are added by Horner's rule, as in `Linear`, and the bias at the end.
    The class is the largest logit, the first one if several are equal.
    """

    KIND = "classifier"

    def output(self, sources: Sequence[Signal]) -> Logits:
        self.take(sources, 1)
        (x,) = self.spikes(sources, phases=True)
        self.need_rows(x.dims, f"input {self.inputs[0]} has")
        return Logits(self.outputs)

    def bounds(self, sources: Sequence[Signal]) -> Bounds:
        (x,) = self.spikes(sources, phases=True)
        times = spikes_of(x)
        current = self.current(times * x.high, times * x.low)
        found = Bounds(current, None, current)
        return found.covering(self.sums(times * x.high, times * x.low)) if x.shift else found

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        (x,) = self.spikes(sources, phases=True)
        counts = inputs[0].sum(2, dtype=np.int64)  # of every step
        times = spikes_of(x)
        sums: Range = self.sums(times * x.high, times * x.low)
        if x.shift:
            total = horner(exact_product(counts, self.weight, sums), x.shift)[:, 0]
        else:
            total = exact_product(counts.sum(1), self.weight, sums)
        return (total + self.bias).astype(np.int32)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        return ones(inputs[0]) * self.outputs


def spikes_of(x: Spikes) -> int:
    """The most spikes of a channel, over all tokens and steps."""
    return x.tokens * (1 if x.shift else x.steps)
