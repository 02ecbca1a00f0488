"""Pooling of the windows of a grid of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..signals import Signal, Spikes
from ..windows import Windows
from .layer import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Pooling(Layer):
    """The largest value of each window, separately for each dimension. Places outside the input
    do not count.

    Forms
    -----
    max : the largest value; of spikes, whether any of them fires.
    """

    KIND = "pooling"
    FORMS = ("max",)

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

    def output(self, sources: Sequence[Signal]) -> Spikes:
        self.take(sources, 1)
        (x,) = self.spikes(sources)
        grid = self.windows.grid(self.grid_of(x, self.inputs[0]), self.where)
        return replace(x, tokens=grid[0] * grid[1], grid=grid)

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        (x,) = self.spikes(sources)
        grid = inputs[0].reshape(*inputs[0].shape[:2], *self.grid_of(x, self.inputs[0]), x.dims)
        return self.windows.largest(grid, x.low)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """None."""
        return np.zeros(len(inputs[0]), np.int64)
