"""Addition-only spiking attention among its neurons: golden model.

Source: arXiv 2503.00226.
"""

from dataclasses import dataclass

import numpy as np

from .a2os2a import check_integers, scores_first
from .neurons import fire, relu_quantise


@dataclass
class BlockTrace:
    """What every stage makes of pre-activations.

    `q` (T, N, D) and `v` (T, N, Dv) spikes, `k` (T, N, D) rectified, `sums` (T, N, Dv) as the core
    gives them, `output` (T, N, Dv) int8 spikes, and `k_saturated`, the values of K cut off.
    """

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    sums: np.ndarray
    output: np.ndarray
    k_saturated: int


def check(config, q, k, v):
    """Refuse pre-activations that are not what the block takes; see `a2os2a.check_integers`."""
    most = 2 ** (config.input_bits - 1) - 1
    return check_integers(config, (q, k, v), [(-most - 1, most)] * 3)


def trace(config, q, k, v):
    """Run on pre-activations `q`, `k` (T, N, D) and `v` (T, N, Dv): a `BlockTrace`."""
    q, k, v = check(config, q, k, v)
    rectified, cut = relu_quantise(k, bits=config.k_bits, shift=config.k_shift)
    queries, values = (fire(config.neurons(name), x) for name, x in (("q", q), ("v", v)))
    sums = np.stack(
        [scores_first(*step, config.mask) for step in zip(queries, rectified, values, strict=True)]
    )
    return BlockTrace(queries, rectified, values, sums, fire(config.neurons("o"), sums), cut)


def run(config, q, k, v):
    """Output spikes (T, N, Dv) uint8; (N, Dv) where Q comes without an axis of steps."""
    output = trace(config, q, k, v).output.astype(np.uint8)
    return output[0] if np.ndim(q) == 2 else output
