"""Stochastic spiking attention: golden model of engine "counter", and float reference.

Per time step, with spikes Q, K, V in {0, 1}::

    S[i, j]    ~ Bern( 1/D * sum_d Q[i, d] AND K[j, d] )
    Attn[i, d] ~ Bern( 1/N * sum_j S[i, j] AND V[j, d] )

Source: arXiv 2402.09109.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...item import Probability
from ...random.golden_source import RandomSource
from . import golden_sampled
from .core import ENCODER_STREAMS, OUTPUT_STREAM, SCORE_STREAM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import SSA


@dataclass
class SSATrace:
    """Every spike of a run: `q`, `k` (T, N, D), `v`, `output` (T, N, Dv), `scores` (T, N, N)."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    scores: np.ndarray
    output: np.ndarray


def admitted(tokens: int, mask: str) -> NDArray:
    """(N, N) bool: whether query i attends to key j under `mask`."""
    query, key = np.ogrid[:tokens, :tokens]
    return {"none": query >= -1 + 0 * key, "causal": key <= query, "self": key != query}[mask]


def encode(config: SSA, operand: str, values: NDArray) -> NDArray:
    """Spikes of `values` (N, W) in [0, 1], as drawn by the core's encoders: (T, N, W) uint8.

    `operand` is "q", "k" or "v".
    """
    tokens, width = values.shape
    rows, lanes = config.query_lanes, config.encoder_lanes
    source = RandomSource(
        rows * lanes,
        2**config.value_bits,
        config.seed,
        strategy=config.random,
        stream=ENCODER_STREAMS[operand],
    )
    thresholds = Probability(config.value_bits).encode(values)
    draws = source.draw(config.steps * tokens * width // (rows * lanes))
    return (_in_blocks(draws, config.steps, tokens, width, rows, lanes) < thresholds).astype(
        np.uint8
    )


def trace(config: SSA, q: NDArray, k: NDArray, v: NDArray) -> SSATrace:
    """Run the core: every spike of every step.

    Parameters
    ----------
    config : SSA.
    q, k : (T, N, D) spikes if ``not config.by_value``, else (N, D) values in [0, 1].
    v : (T, N, Dv) spikes or (N, Dv) values.

    Returns an `SSATrace`.
    """
    if config.by_value:
        q, k, v = (encode(config, name, x) for name, x in zip("qkv", (q, k, v), strict=True))
    mask = admitted(config.tokens, config.mask)
    if config.engine == "sampled":
        indices = golden_sampled.draw_indices(config)
        return SSATrace(q, k, v, *golden_sampled.sample(config, q, k, v, mask, *indices))
    steps, tokens, head_dim, value_dim = *q.shape, v.shape[2]
    rows, keys, groups = config.query_lanes, config.key_lanes, config.key_groups
    bits = config.bits
    seeding = {"strategy": config.random}
    scores_source = RandomSource(rows * keys, head_dim, config.seed, stream=SCORE_STREAM, **seeding)
    output_source = RandomSource(rows * bits, tokens, config.seed, stream=OUTPUT_STREAM, **seeding)

    scores = np.empty((steps, tokens, tokens), np.uint8)
    output = np.empty((steps, tokens, value_dim), np.uint8)
    chunk = max(1, 2**21 // (tokens * max(tokens, value_dim)))
    for start in range(0, steps, chunk):
        now = slice(start, min(start + chunk, steps))
        count = now.stop - now.start

        matches = q[now].astype(np.float32) @ k[now].astype(np.float32).transpose(0, 2, 1)
        draws = scores_source.draw(count * tokens // rows * groups)
        draws = _in_blocks(draws, count, tokens, groups * keys, rows, keys)[..., :tokens]
        scores[now] = (draws < matches) & mask

        hits = scores[now].astype(np.float32) @ v[now].astype(np.float32)
        draws = output_source.draw(count * tokens * value_dim // (rows * bits))
        output[now] = _in_blocks(draws, count, tokens, value_dim, rows, bits) < hits
    return SSATrace(q, k, v, scores, output)


def run(config: SSA, q: NDArray, k: NDArray, v: NDArray) -> NDArray:
    """The core's output spikes (T, N, Dv) uint8; operands as for `trace`."""
    return trace(config, q, k, v).output


def float_reference(q: NDArray, k: NDArray, v: NDArray, mask: str = "none") -> NDArray:
    """Expected output rate for independent rate-coded operands: (N, Dv) float64.

    ``1/(D N) * sum_j sum_d' q[i, d'] k[j, d'] v[j, d]`` over the admitted tokens j; operands are
    rates in [0, 1], q and k (N, D), v (N, Dv).
    """
    scores = float_scores(q, k, mask)
    return scores @ np.asarray(v, float) / len(scores)


def float_scores(q: NDArray, k: NDArray, mask: str = "none") -> NDArray:
    """Expected score rate ``1/D * q k^T``, 0 where masked: (N, N) float64."""
    q, k = np.asarray(q, float), np.asarray(k, float)
    return q @ k.T / q.shape[1] * admitted(len(q), mask)


def _in_blocks(draws, steps, tokens, width, rows, lanes):
    """Rearrange draws from hardware order, in blocks of `rows` by `lanes` and row by row of blocks,
    to an array (steps, tokens, width)."""
    blocks = draws.reshape(steps, tokens // rows, width // lanes, rows, lanes)
    return blocks.transpose(0, 1, 3, 2, 4).reshape(steps, tokens, width)
