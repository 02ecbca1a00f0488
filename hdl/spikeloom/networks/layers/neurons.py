"""Neurons of currents that other layers have summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..neuron import Neuron
from ..ranges import Bounds, Range
from ..signals import Signal
from .layer import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Neurons(Layer):
    """The neurons of currents: of layers with `neuron` kind none, or of a membrane shortcut."""

    KIND = "neurons"

    neuron: Neuron

    def check(self) -> None:
        self.need_neuron(self.neuron, spiking=True)

    def output(self, sources: Sequence[Signal]) -> Signal:
        self.take(sources, 1)
        (x,) = self.currents(sources)
        if self.neuron.kind == "phase" and not x.constant:
            raise self.error(
                f"its neurons encode a phase, but the currents of {self.inputs[0]} change from "
                "step to step; use lif"
            )
        return self.neuron.output(x, Range(x.low, x.high))

    def bounds(self, sources: Sequence[Signal]) -> Bounds:
        (x,) = self.currents(sources)
        current = Range(x.low, x.high)
        return self.neuron.bounds(current, x.steps)

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        (x,) = self.currents(sources)
        return self.neuron.fire(inputs[0], x.steps)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """One for each element."""
        return np.full(len(inputs[0]), inputs[0][0].size, np.int64)
