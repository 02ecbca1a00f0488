"""Stochastic spiking attention by index sampling: golden model of engine "sampled".

Instead of comparing a count of matches with a random number, it samples one match::

    c = (d + s) mod D,  j = (c + b) mod N       s uniform in 0..D-1, b uniform in 0..N-1
    Attn[i, d] = Q[i, c] AND K[j, c] AND V[j, d]

For every i and d the pair (c, j) is uniform over all D * N pairs, so a spike has exactly the
probability ``1/(D N) * sum_j sum_c Q[i, c] K[j, c] V[j, d]``, as with counters. Along d the two
indices follow a diagonal, so the outputs of a token share neither dimension nor key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...random.golden_source import RandomSource
from ...random.lattice import lattice
from .core import OUTPUT_STREAM, SCORE_STREAM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import SSA


def draw_indices(config: SSA) -> list[NDArray]:
    """The indices `s` and `b` of each time step and query: two (T, N) arrays."""
    rounds = -(-config.steps // config.steps_at_once)
    groups = -(-config.tokens // config.lanes)
    stratified = config.indices == "stratified"
    side_by_side = 1 if stratified else config.steps_at_once
    drawn = []
    for limit, stream in ((config.head_dim, SCORE_STREAM), (config.tokens, OUTPUT_STREAM)):
        source = RandomSource(
            side_by_side * config.lanes, limit, config.seed, strategy=config.random, stream=stream
        )
        numbers = source.draw(groups if stratified else rounds * groups)
        numbers = numbers.reshape(-1, groups, side_by_side, config.lanes).transpose(0, 2, 1, 3)
        drawn.append(numbers.reshape(-1, groups * config.lanes)[: config.steps, : config.tokens])
    if not stratified:
        return drawn
    offsets = np.array(
        [lattice(config.head_dim, config.tokens).offset(step) for step in range(config.steps)]
    )
    return [
        (numbers + offsets[:, n : n + 1]) % limit
        for n, (numbers, limit) in enumerate(
            zip(drawn, (config.head_dim, config.tokens), strict=True)
        )
    ]


def places(config: SSA, s: NDArray, b: NDArray) -> tuple[NDArray, NDArray]:
    """Dimension `c` and key `j` that each output samples, each (*shape of `s`, Dv).

    Output d samples the same pair as output d - D.
    """
    dims = np.arange(config.value_dim) % config.head_dim
    c = (dims + s[..., None]) % config.head_dim
    return c, (c + b[..., None]) % config.tokens


def sample(
    config: SSA, q: NDArray, k: NDArray, v: NDArray, mask: NDArray, s: NDArray, b: NDArray
) -> tuple[NDArray, NDArray]:
    """Sampled scores and output spikes for given indices.

    Parameters
    ----------
    q, k : (T, N, D) spikes, v : (T, N, Dv) spikes, mask : (N, N) bool.
    s, b : (T, N) indices.

    Returns (T, N, N) uint8, the score spikes that were sampled and 0 elsewhere, and (T, N, Dv)
    uint8.
    """
    c, j = places(config, s, b)
    step, query, dim = np.ogrid[: q.shape[0], : q.shape[1], : v.shape[2]]
    spikes = q[step, query, c] & k[step, j, c] & mask[query, j]
    scores = np.zeros((*q.shape[:2], q.shape[1]), np.uint8)
    scores[step, query, j] = spikes
    return scores, spikes & v[step, j, dim]
