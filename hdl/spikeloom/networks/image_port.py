"""The stream of an image: bit planes of patches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..item import Bit, Item, UInt
from ..port import Port
from .layers.patch_embedding import patches, unpatched
from .position import with_position

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

WORD = 16  # bits of a beat
PIXEL = UInt(8)


@dataclass(frozen=True, kw_only=True)
class ImagePort(Port):
    """A stream of an image (Y, X, C) of bytes, patch after patch.

    The upper `planes` bits of the pixels of a patch follow each other as bit planes, the highest
    first. Each plane is padded to whole beats of 16 pixels, the first pixel in the lowest bit.
    `last` closes the image.

    Parameters
    ----------
    patch : height and width of a patch.
    planes : bits of a pixel that are sent.
    position : whether the network adds the channel of `spikeloom.networks.position`, which is not
        sent.
    """

    shape: tuple[int, ...]
    patch: tuple[int, ...]
    planes: int
    position: bool = False
    axes: str = "YXC"
    item: Item = PIXEL
    beat: tuple[int, ...] = (WORD,)
    closes: str = "Y"

    @cached_property
    def wire(self) -> Port:
        """The port of the bits (tokens, planes, pixels of a patch)."""
        height, width = self.patch
        rows, columns, channels = self.shape
        tokens = rows // height * (columns // width)
        shape = (tokens, self.planes, height * width * channels)
        return Port(axes="NPD", shape=shape, item=Bit(), beat=(1, 1, WORD), closes="N")

    @property
    def bits(self) -> int:
        return self.wire.bits

    @property
    def grid(self) -> tuple[int, ...]:
        return self.wire.grid

    @property
    def frame_beats(self) -> int:
        return self.beats

    def complete(self, tensor: NDArray) -> NDArray:
        """Images (Y, X) and (B, Y, X) have one channel. The channel of positions is left out, if it
        is what the network adds."""
        *size, channels = self.shape
        if channels == 1 and tensor.shape[-2:] == self.shape[:2] and tensor.ndim in (2, 3):
            return tensor if tensor.shape == self.shape else tensor[..., None]
        if self.position and tensor.shape[-3:] == (*size, channels + 1):
            plain = tensor[..., :-1]
            if np.array_equal(with_position(plain, self.patch), tensor):
                return plain
        return tensor

    def to_bytes(self, tensor: ArrayLike) -> bytes:
        return self.wire.to_bytes(self.arrange(np.asarray(tensor).reshape(self.shape)))

    def from_bytes(self, data: bytes) -> NDArray:
        return self.restore(self.wire.from_bytes(data))

    def arrange(self, tensor: NDArray) -> NDArray:
        """The bits (tokens, planes, pixels) of an image."""
        pixels = patches(tensor, self.patch)[:, None, :]
        return (pixels >> self._shifts() & 1).astype(np.uint8)

    def restore(self, tensor: NDArray) -> NDArray:
        """The image of bits (tokens, planes, pixels); bits that are not sent are 0."""
        pixels = (tensor.astype(self.item.dtype) << self._shifts()).sum(1)
        return unpatched(pixels, self.shape, self.patch)

    def _shifts(self) -> NDArray:
        """The bit of a pixel that is in each plane, highest first."""
        return np.arange(7, 7 - self.planes, -1).reshape(-1, 1)
