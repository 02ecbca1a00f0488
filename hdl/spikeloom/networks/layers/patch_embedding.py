"""The first layer: a linear layer of the pixels of each patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError, echo
from ..exact import exact_product
from ..neuron import Neuron
from ..position import position_channel
from ..ranges import Bounds
from ..signals import Image, Signal, Spikes
from ..values import sizes
from .weighted import WeightedNeurons

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SIDE = 1024  # pixels along a side of an image


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchEmbedding(WeightedNeurons):
    """``I[n, o] = sum over i of p[n, i] weight[i, o] + bias[o]``, the same in every step, and its
    neurons.

    With `position`, the last channel of the image tells where each patch is. It is the same for all
    images, so that users leave it out (`spikeloom.networks.position`).

    Patches do not overlap. They are numbered row by row, and so are the pixels of a patch, with
    the channels of a pixel together.
    """

    KIND = "patch_embedding"

    patch: tuple[int, ...]
    neuron: Neuron
    position: bool = False

    def check(self) -> None:
        super().check()
        self.set(patch=sizes(self.patch, 2, MAX_SIDE, self.where, "patch"))
        self.check_neurons(self.neuron)
        if not isinstance(self.position, bool):
            raise self.error(f"position is {echo(self.position)}; give true or false")

    def image(self, sources: Sequence[Signal]) -> Image:
        """The input, which must be the image."""
        self.take(sources, 1)
        (source,) = sources
        if not isinstance(source, Image):
            raise self.error(f"input {self.inputs[0]} is {source}; {self.KIND} takes the image")
        return source

    def output(self, sources: Sequence[Signal]) -> Signal:
        image = self.image(sources)
        (height, width), rows, columns = self.patch, image.height, image.width
        if rows % height or columns % width:
            raise self.error(
                f"patch {height} x {width} does not divide the image of {rows} x {columns}; choose "
                "divisors"
            )
        self.need_rows(height * width * image.channels, "a patch has")
        if self.position:
            self._check_position(image)
        grid = rows // height, columns // width
        places = Spikes(image.steps, grid[0] * grid[1], self.outputs, grid=grid)
        return self.neuron.output(places, self.current(2**image.bits - 1), constant=True)

    def _check_position(self, image: Image) -> None:
        if image.channels < 2:
            raise self.error("the image has one channel; with position, it has one more")
        try:
            position_channel((image.height, image.width), self.patch)
        except InputError as error:
            raise self.error(str(error)) from None

    def bounds(self, sources: Sequence[Signal]) -> Bounds:
        image = self.image(sources)
        high = 2**image.bits - 1
        found = self.neuron.bounds(self.current(high), image.steps, self.threshold_offsets)
        return found.covering(self.sums(high))

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        image = self.image(sources)
        pixels = patches(inputs[0], self.patch)
        sums = exact_product(pixels, self.weight, self.sums(2**image.bits - 1))
        sums += self.bias
        return self.neuron.fire(sums[:, None], image.steps, self.threshold_offsets)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """One for each bit of a pixel that is 1 and each output."""
        ones = np.bitwise_count(inputs[0]).sum((1, 2, 3), dtype=np.int64)
        return ones * self.outputs


def patches(images: NDArray, patch: Sequence[int]) -> NDArray:
    """Images (..., Y, X, C) as patches (..., N, pixels * C)."""
    *lead, rows, columns, channels = images.shape
    height, width = patch
    grid = images.reshape(*lead, rows // height, height, columns // width, width, channels)
    return grid.swapaxes(-4, -3).reshape(*lead, -1, height * width * channels)


def unpatched(pixels: NDArray, shape: Sequence[int], patch: Sequence[int]) -> NDArray:
    """The inverse of `patches`, for images of shape (Y, X, C)."""
    rows, columns, channels = shape
    height, width = patch
    lead = pixels.shape[:-2]
    grid = pixels.reshape(*lead, rows // height, columns // width, height, width, channels)
    return grid.swapaxes(-4, -3).reshape(*lead, rows, columns, channels)
