"""The ReLU quantiser: golden model in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def relu_quantise(inputs: NDArray, *, bits: int, shift: int) -> tuple[NDArray, int]:
    """``min(max(x, 0) >> shift, 2**bits - 1)`` as int64, and the number of clipped values."""
    scaled = np.maximum(np.asarray(inputs, np.int64), 0) >> shift
    most = 2**bits - 1
    return np.minimum(scaled, most), int((scaled > most).sum())
