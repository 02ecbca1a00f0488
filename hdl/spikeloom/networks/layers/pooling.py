"""Pooling of the windows of a grid of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..ranges import Bounds, Range
from ..signals import Currents, Signal, Spikes
from ..windows import Windows
from .layer import Layer
from .residual import MAX_SUM

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Pooling(Layer):
    """One value for each window and dimension, of spikes or of currents. Places outside the input
    do not count.

    Forms
    -----
    max : the largest value; of spikes, whether any of them fires.
    sum : the sum; a threshold behind it turns that into a mean.
    """

    KIND = "pooling"
    FORMS = ("max", "sum")

    form: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...] = (0, 0)

    def check(self) -> None:
        self.set(**Windows.checked(self.kernel, self.stride, self.padding, self.where))

    @property
    def windows(self) -> Windows:
        """The windows of the input."""
        return Windows(self.kernel, self.stride, self.padding)

    def source(self, sources: Sequence[Signal]) -> Spikes | Currents:
        """The input, which must be spikes or currents."""
        self.take(sources, 1)
        if isinstance(sources[0], Currents):
            return sources[0]
        return self.spikes(sources)[0]

    def output(self, sources: Sequence[Signal]) -> Signal:
        x = self.source(sources)
        grid = self.windows.grid(self.grid_of(x, self.inputs[0]), self.where)
        times = self.kernel[0] * self.kernel[1] if self.form == "sum" else 1
        if isinstance(x, Spikes) and times * max(x.high, -x.low) > MAX_SUM:
            raise self.error(f"sums {times} values up to {x.high}; sums are at most {MAX_SUM}")
        high, low = times * x.high, times * x.low
        return replace(x, tokens=grid[0] * grid[1], grid=grid, high=high, low=low)

    def bounds(self, sources: Sequence[Signal]) -> Bounds | None:
        found = self.output(sources)
        if not isinstance(found, Currents):
            return None
        current = Range(found.low, found.high)
        return Bounds(current, None, current)

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        x = self.source(sources)
        grid = inputs[0].reshape(*inputs[0].shape[:2], *self.grid_of(x, self.inputs[0]), x.dims)
        if self.form == "max":
            return self.windows.largest(grid, x.low)
        return self.windows.total(grid, np.int16 if grid.dtype == np.int8 else grid.dtype)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """None for the largest value; for a sum, what is not 0."""
        if self.form == "max":
            return np.zeros(len(inputs[0]), np.int64)
        return (inputs[0] != 0).sum((1, 2, 3), dtype=np.int64)
