"""An image as the beats that the engine takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..layers.patch_embedding import patches
from .operation import PIECE_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pack_image(image: NDArray, patch: Sequence[int], pixel_bits: int) -> NDArray:
    """Beats of an image (Y, X, C) of uint8: uint16 (patches, planes, words).

    The upper `pixel_bits` bits of a pixel are its planes, the highest first. A word holds a bit of
    16 pixels of a patch, the first pixel in the lowest bit, padded with zeros.
    """
    pixels = patches(np.asarray(image, np.uint8), patch)
    planes = np.arange(7, 7 - pixel_bits, -1)
    bits = (pixels[:, None, :] >> planes[:, None]) & 1
    words = -(-pixels.shape[1] // PIECE_BITS)
    margin = words * PIECE_BITS - pixels.shape[1]
    bits = np.pad(bits, ((0, 0), (0, 0), (0, margin))).astype(np.uint8)
    packed = np.packbits(bits, axis=-1, bitorder="little")
    return packed.reshape(*bits.shape[:2], words, 2).view("<u2").reshape(*bits.shape[:2], words)
