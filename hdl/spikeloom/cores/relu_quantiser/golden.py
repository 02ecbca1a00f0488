"""The ReLU quantiser: golden model in integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def relu_quantise(inputs: NDArray, *, bits: int, shift: int | Sequence[int]) -> tuple[NDArray, int]:
    """``min(round(max(x, 0) / 2**shift), 2**bits - 1)`` as int64, and the number of clipped values.

    Halves are rounded up. Several shifts are those of successive values, and repeat.
    """
    inputs = np.maximum(np.asarray(inputs, np.int64), 0)
    shifts = np.resize(np.asarray(shift, np.int64), inputs.shape)
    scaled = inputs + (1 << shifts >> 1) >> shifts
    most = 2**bits - 1
    return np.minimum(scaled, most), int((scaled > most).sum())
