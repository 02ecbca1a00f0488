"""Golden model of `int8_softmax`, in integers, and softmax attention in floating point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .tables import exponentials

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import Int8Softmax


def weights(core: Int8Softmax, scores: NDArray) -> NDArray:
    """The weight of each score of a query, the largest for the largest score."""
    below = scores.max() - scores
    halvings = np.minimum(below >> core.fraction, core.prob_bits + 1)
    entries = np.array(exponentials(core))[below & 2**core.fraction - 1]
    return ((2 * entries >> halvings) + 1) >> 1


def run(core: Int8Softmax, q: NDArray, k: NDArray, v: NDArray) -> NDArray:
    """Outputs (N, Dv) of integer operands."""
    q, k, v = (x.astype(np.int64) for x in (q, k, v))
    output = np.empty((core.tokens, core.value_dim), np.int32)
    for n, query in enumerate(q):
        p = weights(core, (k @ query) >> core.dropped)
        # Rounded to nearest, halves upwards.
        output[n] = (2 * (p @ v) + p.sum()) // (2 * p.sum())
    return output


def softmax_attention(q: NDArray, k: NDArray, v: NDArray, exponent: float) -> NDArray:
    """Softmax attention in floating point, with scores ``exponent * q.k``."""
    scores = exponent * (np.asarray(q, float) @ np.swapaxes(np.asarray(k, float), -1, -2))
    p = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True) @ np.asarray(v, float)
