"""Residual connections of spikes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..ranges import Bounds, Range
from ..signals import Currents, Signal
from .layer import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SUM = 255  # of an element of an `add` residual


@dataclass(frozen=True, kw_only=True, eq=False)
class Residual(Layer):
    """The combination of the residual stream with a branch.

    Forms
    -----
    iand : ``x AND NOT s`` of the inputs x and s, both spikes.
    add : the sum of two or more inputs, integers ``0..S`` for S spikes.
    membrane : the sum of two or more currents, before the neurons of the next layers.

    Sources: Fang et al., "Deep Residual Learning in Spiking Neural Networks", NeurIPS 2021; Hu et
    al., "Advancing Spiking Neural Networks toward Deep Residual Learning", 2021 (membrane).
    """

    KIND = "residual"
    FORMS = ("iand", "add", "membrane")

    form: str

    def output(self, sources: Sequence[Signal]) -> Signal:
        if self.form == "membrane":
            return self._summed(sources)
        found = self.spikes(sources)
        if self.form == "iand" or len(found) < 2:
            self.take(sources, 2)
        if len({one.dims for one in found}) > 1:
            shapes = ", ".join(f"{n} {s.dims}" for n, s in zip(self.inputs, found, strict=True))
            raise self.error(f"inputs have different numbers of dims: {shapes}; make them equal")
        grids = [one.grid for one in found if one.grid]
        grid = grids[0] if len({*grids}) == 1 else None
        x = found[0]
        if self.form == "add":
            high = sum(one.high for one in found)
            if high > MAX_SUM:
                raise self.error(f"sums {high} spikes; the most are {MAX_SUM}")
            low = sum(one.low for one in found)
            return replace(x, high=high, low=low, grid=grid)
        for name, source in zip(self.inputs, found, strict=True):
            if source.high > 1 or source.low < 0:
                raise self.error(
                    f"input {name} holds {source.low}..{source.high}; form iand takes spikes, use "
                    "form add"
                )
        return replace(x, grid=grid)

    def _summed(self, sources: Sequence[Signal]) -> Currents:
        """The sum of currents."""
        found = self.currents(sources)
        if len(found) < 2:
            self.take(sources, 2)
        high, low = sum(one.high for one in found), sum(one.low for one in found)
        grids = {one.grid for one in found}
        return replace(
            found[0],
            high=high,
            low=low,
            grid=found[0].grid if len(grids) == 1 else None,
            constant=all(one.constant for one in found),
        )

    def bounds(self, sources: Sequence[Signal]) -> Bounds | None:
        if self.form != "membrane":
            return None
        summed = self._summed(sources)
        current = Range(summed.low, summed.high)
        return Bounds(current, None, current)

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        if self.form == "membrane":
            return functools.reduce(np.add, inputs)  # of which some may be constant
        if self.form == "add":
            signed = any(x.dtype == np.int8 for x in inputs)
            return np.add.reduce(inputs, dtype=np.int16 if signed else np.uint8)
        x, s = inputs
        return x & (s ^ 1)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """Of form membrane one for each element; else none: the following layers read the spikes of
        every summand."""
        if self.form == "membrane":
            return np.full(len(inputs[0]), (len(inputs) - 1) * max(x[0].size for x in inputs))
        return np.zeros(len(inputs[0]), np.int64)
