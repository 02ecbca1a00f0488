"""Where the bits of an image lie in the bitmap memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..graph import Graph
from ..image_port import planes_of_beat
from ..layers.patch_embedding import patches
from ..position import position_channel
from .bitmaps import Places, padded
from .operation import PIECE_BITS


@dataclass(frozen=True)
class ImageLayout:
    """Rows of an image, one for each patch and each plane of its pixels, highest plane first.

    A row begins with the pixels of the patch. Positions of patches follow in pieces of their own:
    the same for all images, they are initial contents of the memory and are never written.
    """

    network: Graph

    @property
    def position(self) -> bool:
        """Whether the last channel is the position."""
        return self.network.embedding.position

    @property
    def pixels(self) -> int:
        """Pixels of a patch, without the position."""
        height, width = self.network.embedding.patch
        return height * width * (self.network.image[2] - self.position)

    @property
    def patches(self) -> int:
        """Patches of the image."""
        height, width = self.network.embedding.patch
        return self.network.image[0] // height * (self.network.image[1] // width)

    @property
    def sent(self) -> int:
        """Pieces of a row that arrive with each image."""
        return padded(self.pixels, PIECE_BITS) // PIECE_BITS

    @property
    def beat_planes(self) -> int:
        """Rows that a beat holds, or begins."""
        return planes_of_beat(self.pixels, self.network.pixel_bits)

    @property
    def words(self) -> int:
        """Pieces of a row."""
        return -(-self.columns.end // PIECE_BITS)

    @property
    def rows(self) -> int:
        """Rows of the image."""
        return self.patches * self.network.pixel_bits

    @property
    def columns(self) -> Places:
        """The column of each element of a patch, in the order of the weights."""
        height, width = self.network.embedding.patch
        channels = self.network.image[2]
        plain = channels - self.position
        first = self.sent * PIECE_BITS
        return Places(
            tuple(
                pixel * plain + channel if channel < plain else first + pixel
                for pixel in range(height * width)
                for channel in range(channels)
            )
        )

    def contents(self) -> list[int]:
        """The pieces of an image of zeros, with the positions."""
        pieces = np.zeros((self.patches, self.network.pixel_bits, self.words), np.int64)
        if self.position:
            height, width, _ = self.network.image
            patch = self.network.embedding.patch
            channel = position_channel((height, width), patch)[..., None]
            for token, pixels in enumerate(patches(channel, patch)):
                for pixel in np.flatnonzero(pixels):
                    shifts = np.arange(7, 7 - self.network.pixel_bits, -1)
                    planes = int(pixels[pixel]) >> shifts & 1
                    word, bit = divmod(int(pixel), PIECE_BITS)
                    pieces[token, :, self.sent + word] |= planes << bit
        return pieces.reshape(-1).tolist()
