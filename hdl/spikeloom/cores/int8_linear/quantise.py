"""Real weights, biases and scales as the integers of `int8_linear`."""

from __future__ import annotations

from math import floor, log2
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LARGEST = 127
SCALE_BITS = 16  # by default


class Quantised(NamedTuple):
    """Integer operands of a layer, and the key `shift` that goes with them."""

    w: NDArray
    bias: NDArray
    scale: NDArray
    shift: int


def quantise(
    w: ArrayLike,
    bias: ArrayLike,
    x_scale: float,
    y_scale: ArrayLike,
    scale_bits: int = SCALE_BITS,
    shift: int | None = None,
) -> Quantised:
    """A layer ``y = x w^T + bias`` of real numbers, w (O, I), for integers x and y that are worth
    `x_scale` and `y_scale`, which may be one for each output.

    The largest weight of each output becomes 127. Without `shift`, it is the largest with which all
    scales have `scale_bits` bits.
    """
    real_w, real_bias = np.asarray(w, float), np.asarray(bias, float)
    w_scale = np.abs(real_w).max(axis=1) / LARGEST
    w_scale[w_scale == 0] = 1
    unit = w_scale * x_scale  # what a sum of 1 is worth
    factor = unit / np.asarray(y_scale, float)
    if shift is None:
        shift = min(31, max(0, floor(log2((2**scale_bits - 1) / factor.max()))))
    return Quantised(
        np.rint(real_w / w_scale[:, None]).astype(np.int32),
        np.rint(real_bias / unit).astype(np.int32),
        np.minimum(np.rint(factor * 2**shift), 2**scale_bits - 1).astype(np.int32),
        shift,
    )
