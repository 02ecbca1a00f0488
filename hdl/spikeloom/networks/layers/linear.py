"""Linear layers with spiking neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..exact import exact_product
from ..neuron import Neuron
from ..ranges import Bounds
from ..signals import Signal
from .weighted import Weighted, ones

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(Weighted):
    """``I[t, n, o] = sum over i of x[t, n, i] weight[i, o] + bias[o]``, and its neurons."""

    KIND = "linear"

    neuron: Neuron

    def check(self) -> None:
        super().check()
        self.need_neuron(self.neuron)

    def output(self, sources: Sequence[Signal]) -> Signal:
        self.take(sources, 1)
        (x,) = self.spikes(sources)
        self.need_rows(x.dims, f"input {self.inputs[0]} has")
        return self.neuron.output(x, self.current(x.high, x.low), self.outputs)

    def bounds(self, sources: Sequence[Signal]) -> Bounds:
        (x,) = self.spikes(sources)
        current = self.current(x.high, x.low)
        membrane = self.neuron.membrane(current, x.steps)
        return Bounds(current, membrane, self.neuron.accumulator(current, x.steps))

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        (x,) = self.spikes(sources)
        sums = exact_product(inputs[0], self.weight, self.sums(x.high, x.low))
        sums += self.bias
        return self.neuron.fire(sums, x.steps)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        return ones(inputs[0]) * self.outputs
