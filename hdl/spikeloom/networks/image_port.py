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
    first. Each plane is padded to whole beats of 16 pixels, the first pixel in the lowest bit. Of
    a patch of at most 8 pixels, a beat holds as many planes as it has room for, the first one in
    the lowest bits. `last` closes the image.

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

    @property
    def pixels(self) -> int:
        """Values of a patch."""
        return self.patch[0] * self.patch[1] * self.shape[2]

    @property
    def beat_planes(self) -> int:
        """Planes that a beat holds, or begins."""
        return planes_of_beat(self.pixels, self.planes)

    @cached_property
    def wire(self) -> Port:
        """The port of the bits (tokens, beats or planes, bits of them)."""
        (height, width), (rows, columns, _) = self.patch, self.shape
        tokens = rows // height * (columns // width)
        together = self.beat_planes
        shape = (tokens, -(-self.planes // together), together * self.pixels)
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
        """The bits of an image, as on the wire."""
        pixels = patches(tensor, self.patch)[:, None, :]
        bits = (pixels >> self._shifts() & 1).astype(np.uint8)
        tokens, beats, together = self.wire.shape
        missing = beats * self.beat_planes - self.planes
        return np.pad(bits, ((0, 0), (0, missing), (0, 0))).reshape(tokens, beats, together)

    def restore(self, tensor: NDArray) -> NDArray:
        """The image of the bits on the wire; those that are not sent are 0."""
        bits = tensor.reshape(len(tensor), -1, self.pixels)[:, : self.planes]
        pixels = (bits.astype(self.item.dtype) << self._shifts()).sum(1)
        return unpatched(pixels, self.shape, self.patch)

    def _shifts(self) -> NDArray:
        """The bit of a pixel that is in each plane, highest first."""
        return np.arange(7, 7 - self.planes, -1).reshape(-1, 1)


def planes_of_beat(pixels: int, planes: int) -> int:
    """How many of `planes` bit planes of a patch a beat holds, or begins: at least one."""
    return max(1, min(planes, WORD // pixels))
