"""Matrix products of integers in floating point, only where every partial sum is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .ranges import Range

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXACT = ((np.float32, 2**24), (np.float64, 2**53))
"""Floating-point types, and the magnitude below which each holds every integer."""


def exact_product(x: NDArray, y: NDArray, sums: Range) -> NDArray:
    """``x @ y`` of integers as int32 or int64.

    `sums` includes every partial sum of every element, in any order. The product is computed in
    floating point where these sums are exact, which is fast, else in int64.
    """
    result = np.int32 if sums.magnitude < 2**31 else np.int64
    for dtype, limit in EXACT:
        if sums.magnitude < limit:
            return (x.astype(dtype) @ y.astype(dtype)).astype(result)
    return x.astype(np.int64) @ y.astype(np.int64)


def column_sums(weight: NDArray, high: int, low: int = 0) -> tuple[NDArray, NDArray]:
    """The smallest and largest partial sum of each column of ``x @ weight`` for integers x in
    ``low..high``, with ``low <= 0``, as int64."""
    negative = np.minimum(weight, 0).sum(0, dtype=np.int64)
    positive = np.maximum(weight, 0).sum(0, dtype=np.int64)
    return high * negative + low * positive, high * positive + low * negative
