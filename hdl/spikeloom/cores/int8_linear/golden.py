"""Golden model of `int8_linear`, in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import Int8Linear


def run(core: Int8Linear, x: NDArray, w: NDArray, bias: NDArray, scale: NDArray) -> NDArray:
    """Outputs (..., N, O) of integer operands: x (..., N, I), w (O, I), bias and scale (O)."""
    sums = x.astype(np.int64) @ w.T.astype(np.int64) + bias
    return requantise(sums, scale, core.shift, core.activation)


def requantise(sums: NDArray, scale: NDArray, shift: int, activation: str) -> NDArray:
    """``round(sums * scale / 2**shift)``, halves upwards, limited to 8 bits."""
    half = (1 << shift) >> 1
    rounded = (sums * scale.astype(np.int64) + half) >> shift
    return rounded.clip(0 if activation == "relu" else -128, 127).astype(np.int32)
