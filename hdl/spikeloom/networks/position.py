"""Positions of patches as one more channel of the image.

A spiking transformer without convolutions sums over tokens, so it cannot tell where a patch lies.
This channel is the same for all images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 128  # one bit of a pixel, so one addition


def with_position(images: NDArray, patch: Sequence[int]) -> NDArray:
    """Images (..., Y, X, C) with `position_channel` as one more channel."""
    channel = position_channel(images.shape[-3:-1], patch).astype(images.dtype)
    channel = np.broadcast_to(channel[:, :, None], (*images.shape[:-1], 1))
    return np.concatenate([images, channel], axis=-1)


def position_channel(size: Sequence[int], patch: Sequence[int]) -> NDArray:
    """A channel (Y, X) of bytes whose patches all differ.

    Two pixels of a patch are 128, all others 0: the pixel whose number is the patch's row, and that
    whose number is the number of rows plus the patch's column.
    """
    rows, columns = size[0] // patch[0], size[1] // patch[1]
    if rows + columns > patch[0] * patch[1]:
        raise InputError(
            f"patches of {patch[0]} x {patch[1]} pixels have no room for the position among "
            f"{rows} rows and {columns} columns; use larger patches"
        )
    patches = np.zeros((rows, columns, patch[0] * patch[1]), np.uint8)
    for row in range(rows):
        patches[row, :, row] = LEVEL
    for column in range(columns):
        patches[:, column, rows + column] = LEVEL
    pixels = patches.reshape(rows, columns, *patch).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(pixels).reshape(rows * patch[0], columns * patch[1])
