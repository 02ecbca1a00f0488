"""Convolutions with spiking neurons, of the image or of spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...counted import counted
from ..exact import exact_product
from ..neuron import Neuron
from ..ranges import Bounds
from ..signals import Image, Signal, Spikes
from ..values import whole
from ..windows import Windows
from .weighted import WeightedNeurons, ones

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Convolution(WeightedNeurons):
    """A linear layer of the window around each place, and its neurons::

        I[t, y, x, o] = bias[o] + sum over i, j and c of input[t, y', x', c] weight[(i, j, c), o]
        y' = stride y + i - padding, x' = stride x + j - padding

    Places outside the input are 0; outside an image they are the pixel `border`, one byte for each
    channel, if it is given: the mean, if pixels were normalised for the training. Rows of the
    weight matrix are ordered as the pixels of a patch: row by row of the kernel, with the channels
    of a place together. Places of the output are tokens, numbered row by row. An image is the same
    in every step.
    """

    KIND = "convolution"
    patch: ClassVar[tuple[int, int]] = (1, 1)  # the image arrives pixel by pixel
    position: ClassVar[bool] = False

    kernel: tuple[int, ...]
    neuron: Neuron
    stride: tuple[int, ...] = (1, 1)
    padding: tuple[int, ...] = (0, 0)
    border: tuple[int, ...] = ()

    def check(self) -> None:
        super().check()
        if isinstance(self.border, str) or not isinstance(self.border, Sequence):
            raise self.error("border must be a list of bytes, one for each channel of the image")
        for pixel in self.border:
            whole(pixel, 0, 255, self.where, "border")
        self.set(border=tuple(self.border))
        self.set(**Windows.checked(self.kernel, self.stride, self.padding, self.where))
        self.check_neurons(self.neuron)

    @property
    def windows(self) -> Windows:
        """The windows of the input."""
        return Windows(self.kernel, self.stride, self.padding)

    def output(self, sources: Sequence[Signal]) -> Signal:
        source = self.source(sources)
        height, width, channels = self._shape(source)
        grid = self.windows.grid((height, width), self.where)
        self.need_rows(self.kernel[0] * self.kernel[1] * channels, "a window has")
        places = Spikes(source.steps, grid[0] * grid[1], self.outputs, grid=grid)
        low, high = self._range(source)
        constant = isinstance(source, Image)
        if self.neuron.kind == "phase" and not constant:
            raise self.error(
                f"its neurons encode a phase, but input {self.inputs[0]} is not the image; use lif"
            )
        return self.neuron.output(places, self.current(high, low), constant=constant)

    def source(self, sources: Sequence[Signal]) -> Image | Spikes:
        """The input, which must be the image or spikes on a grid."""
        self.take(sources, 1)
        if isinstance(sources[0], Image):
            if len(self.border) not in (0, sources[0].channels):
                raise self.error(
                    f"border has {counted(len(self.border), 'byte')}; the image has "
                    f"{counted(sources[0].channels, 'channel')}"
                )
            return sources[0]
        if self.border:
            raise self.error(f"border is for the image; {self.inputs[0]} are spikes, remove it")
        return self.spikes(sources)[0]

    def _shape(self, source: Image | Spikes) -> tuple[int, int, int]:
        """Height, width and channels of the input."""
        if isinstance(source, Image):
            return source.height, source.width, source.channels
        height, width = self.grid_of(source, self.inputs[0])
        return height, width, source.dims

    def _range(self, source: Image | Spikes) -> tuple[int, int]:
        """The smallest and the largest input."""
        if isinstance(source, Image):
            return 0, 2**source.bits - 1
        return source.low, source.high

    def bounds(self, sources: Sequence[Signal]) -> Bounds:
        source = self.source(sources)
        low, high = self._range(source)
        current = self.current(high, low)
        found = self.neuron.bounds(current, source.steps, self.threshold_offsets)
        return found.covering(self.sums(high)) if isinstance(source, Image) else found

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        source = self.source(sources)
        low, high = self._range(source)
        windows = self._windows(sources, inputs)
        sums = exact_product(windows, self.weight, self.sums(high, low))
        sums += self.bias
        return self.neuron.fire(sums, source.steps, self.threshold_offsets)

    def _windows(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """Windows (B, T, N, values); T is 1 for an image."""
        (x,) = inputs
        source = self.source(sources)
        outside = np.zeros(1, np.uint8)
        if isinstance(source, Image) and self.border:
            outside = np.array(self.border, np.uint8) >> (8 - source.bits)
        return self.windows.take(x.reshape(len(x), -1, *self._shape(source)), outside)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """One for each spike of a window, or bit of a pixel that is 1, and each output."""
        windows = self._windows(sources, inputs)
        if isinstance(sources[0], Image):
            windows = np.bitwise_count(windows)
        return ones(windows) * self.outputs
