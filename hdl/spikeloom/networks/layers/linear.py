"""Linear layers with spiking neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..exact import exact_product
from ..neuron import Neuron
from ..ranges import Bounds, Range
from ..signals import Signal, Spikes
from .weighted import WeightedNeurons, ones

if TYPE_CHECKING:
    from numpy.typing import NDArray


FRACTION = 5  # bits of the sums of phase codes below the unit of the weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(WeightedNeurons):
    """``I[t, n, o] = sum over i of x[t, n, i] weight[i, o] + bias[o]``, and its neurons.

    The current of a phase code is a single one, by Horner's rule from the last step to the first;
    the division by the base rounds to the nearest integer, so that nothing drifts. It has
    `FRACTION` bits below the unit of the weights, and so have the bias and the threshold::

        v <- v - (v + 2**(shift - 1) >> shift) + (sum over i of x[t, n, i] weight[i, o] << FRACTION)
        I = v + bias
    """

    KIND = "linear"

    neuron: Neuron

    def check(self) -> None:
        super().check()
        self.check_neurons(self.neuron)

    def output(self, sources: Sequence[Signal]) -> Signal:
        self.take(sources, 1)
        (x,) = self.spikes(sources, phases=True)
        self.need_rows(x.dims, f"input {self.inputs[0]} has")
        if self.neuron.kind == "phase" and not x.shift:
            raise self.error(
                f"its neurons encode a phase, but input {self.inputs[0]} is no phase code; use lif"
            )
        current = self._range(x)
        return self.neuron.output(x, current, self.outputs, constant=x.shift > 0)

    def bounds(self, sources: Sequence[Signal]) -> Bounds:
        (x,) = self.spikes(sources, phases=True)
        found = self.neuron.bounds(self._range(x), x.steps, self.threshold_offsets)
        return found.covering(self.sums(x.high, x.low, 1 << FRACTION)) if x.shift else found

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        (x,) = self.spikes(sources, phases=True)
        sums = exact_product(inputs[0], self.weight, self.sums(x.high, x.low))
        if x.shift:
            sums = horner(sums, x.shift, FRACTION)
        sums += self.bias
        return self.neuron.fire(sums, x.steps, self.threshold_offsets)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        return ones(inputs[0]) * self.outputs

    def _range(self, x: Spikes) -> Range:
        """The range of the currents."""
        return self.current(x.high, x.low, 1 << FRACTION if x.shift else 1)


def horner(sums: NDArray, shift: int, fraction: int = 0) -> NDArray:
    """The value (B, 1, ...) of sums (B, T, ...) of a phase code, in units of ``2**-fraction``; it
    is never larger than their sum."""
    v, half = sums[:, -1].astype(np.int64) << fraction, 1 << shift - 1
    for t in reversed(range(sums.shape[1] - 1)):
        v -= v + half >> shift
        v += sums[:, t].astype(np.int64) << fraction
    return v[:, None]
