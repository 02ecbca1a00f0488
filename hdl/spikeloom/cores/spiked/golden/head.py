"""The whole head: Q, K, V codes in, output codes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..tables import threshold_log
from .phase_code import encode_quotients, encode_sums
from .trace_product import trace_product
from .woss import woss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..core import Spiked


@dataclass
class HeadTrace:
    """Results of every stage of a head.

    `score_sums` (N, N) and `output_sums` (N, Dv), `normaliser` (N,) in trace units; `scores`,
    `probabilities` (N, N) and `output` (N, Dv) codes.
    """

    score_sums: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    normaliser: np.ndarray
    output_sums: np.ndarray
    output: np.ndarray


def admitted(tokens: int, mask: str) -> NDArray:
    """(N, N) bool: whether query i attends to key j under `mask`."""
    query, key = np.ogrid[:tokens, :tokens]
    return key <= query if mask == "causal" else np.ones((tokens, tokens), bool)


def trace(config: Spiked, q: NDArray, k: NDArray, v: NDArray) -> HeadTrace:
    """Run the core on codes `q`, `k` (N, D) and `v` (N, Dv): a `HeadTrace`."""
    score_sums = trace_product(config, q, k)
    scores = encode_sums(config, score_sums, config.score_gain)
    probabilities = woss(config, scores, admitted(len(scores), config.mask))

    # The sum of a row's probabilities is its output for values of one.
    values = np.vstack([np.ones((1, len(v)), np.int16), np.asarray(v).T])
    normaliser, *sums = trace_product(config, values, probabilities)
    output_sums = np.array(sums).T
    offset = threshold_log(config, config.output_gain)
    output = encode_quotients(config, output_sums, normaliser[:, None], offset)
    return HeadTrace(score_sums, scores, probabilities, normaliser, output_sums, output)


def run(config: Spiked, q: NDArray, k: NDArray, v: NDArray) -> NDArray:
    """Output codes (N, Dv) int16 of codes `q`, `k`, `v`."""
    return trace(config, q, k, v).output
