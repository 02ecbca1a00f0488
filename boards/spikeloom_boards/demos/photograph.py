"""The photograph used by the demos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def photograph(pixels: int) -> NDArray:
    """Grey values in [0, 1] of a square image of `pixels` x `pixels`.

    The photograph is ``china.jpg`` from scikit-learn; its centre is cropped to a square and
    downsampled by averaging.
    """
    from sklearn.datasets import load_sample_image

    grey = load_sample_image("china.jpg").mean(axis=2)
    side = min(grey.shape) // pixels * pixels
    top, left = (np.array(grey.shape) - side) // 2
    square = grey[top : top + side, left : left + side]
    block = side // pixels
    small = square.reshape(pixels, block, pixels, block).mean(axis=(1, 3))
    return (small - small.min()) / (small.max() - small.min())
