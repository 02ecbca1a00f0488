"""Real Q, K and V as the 8-bit integers of `int8_softmax`."""

from __future__ import annotations

from math import floor, log2
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LOG2_E = 1.4426950408889634
FOUR_SIGMA = 4  # standard deviations that 127 stands for, by default
LARGEST = 127


class Quantised(NamedTuple):
    """Integer operands, the key `shift` that goes with them, and what an output of 1 is worth."""

    q: NDArray
    k: NDArray
    v: NDArray
    shift: int
    output_scale: float


def quantise(q: ArrayLike, k: ArrayLike, v: ArrayLike) -> Quantised:
    """Operands (..., N, D) of softmax attention with the usual factor 1/sqrt(D).

    K and V are scaled so that their largest value is 127. Q takes the largest scale that makes
    ``q.k / 2^shift`` the exponent of 2 for a whole `shift`; its largest value is 64 to 127. In a
    network the scale of Q costs nothing: it goes into the rounding of the layer before.
    """
    real_q, real_k, real_v = (np.asarray(x, float) for x in (q, k, v))
    k_scale, v_scale = (_largest(x) / LARGEST for x in (real_k, real_v))
    # 2^(q.k / 2^shift) = exp(q.k q_scale k_scale / sqrt(D))
    unit = real_q.shape[-1] ** 0.5 / (LOG2_E * k_scale)
    shift = min(24, max(0, floor(log2(unit * LARGEST / _largest(real_q)))))
    q_scale = unit / 2**shift
    return Quantised(
        _rounded(real_q / q_scale),
        _rounded(real_k / k_scale),
        _rounded(real_v / v_scale),
        shift,
        v_scale,
    )


def _rounded(values):
    return np.clip(np.rint(values), -LARGEST, LARGEST).astype(np.int32)


def _largest(values):
    """The largest magnitude; 1 if all are 0."""
    return float(np.abs(values).max()) or 1.0
