"""Operations and memory traffic of the `ssa` core, by engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...random.random_plan import draw_bits
from ...work import Accesses, Operations, Work, joined
from ..rate_coded import encoder_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import SSA


def work(core: SSA, densities: Mapping[str, float], operands: Mapping[str, NDArray]) -> Work:
    """The work of a run: of `operands`, or the expected one with the `densities` of the spikes."""
    if core.engine == "sampled":
        return _with_encoders(core, _sampled(core))
    return _with_encoders(core, _counter(core, *_ones(core, densities, operands)))


def _ones(core, densities, operands):
    """Pairs of ones that the score counters and that the output counters add up."""
    from .golden import admitted, trace

    if operands:
        run = trace(core, **operands)
        q, k, s, v = (x.astype(np.int64) for x in (run.q, run.k, run.scores, run.v))
        return (
            int((q.sum(1) * k.sum(1)).sum()),
            int((s.sum(1) * v.sum(2)).sum()),
        )
    pairs = core.steps * core.tokens**2
    share = float(admitted(core.tokens, core.mask).mean())
    score = densities["q"] * densities["k"]
    return (
        pairs * core.head_dim * score,
        pairs * core.value_dim * share * score * densities["v"],
    )


def _counter(core, score_ones, output_ones):
    """Engine "counter": an AND of every pair of spikes, a counter step for each pair of ones, and
    for every score and output a comparison with a random number."""
    tokens, dims, value_dims = core.tokens, core.head_dim, core.value_dim
    steps, rows, groups, keys = core.steps, core.query_lanes, core.key_groups, core.key_lanes
    pairs, outputs = steps * tokens**2, steps * tokens * value_dims
    draws = pairs * draw_bits(dims) + outputs * draw_bits(tokens)
    held = groups * keys  # keys with those that complete the last group
    blocks = steps * tokens // rows
    return Work(
        "T N^2 (D + Dv) ANDs; an addition for each pair of ones, a comparison for each of N^2 "
        "scores and N Dv outputs of a step",
        (
            Operations("Q AND K", "logic", 1, pairs * dims),
            Operations("S AND V", "logic", 1, pairs * value_dims),
            Operations("score counters", "add", dims.bit_length(), score_ones),
            Operations("output counters", "add", tokens.bit_length(), output_ones),
            Operations("score comparisons", "add", dims.bit_length(), pairs),
            Operations("output comparisons", "add", tokens.bit_length(), outputs),
            Operations("random bits", "logic", 1, draws),
        ),
        (
            Accesses(
                "Q", steps * tokens * dims + steps * tokens * groups * dims, 2 * tokens * dims
            ),
            Accesses("K", steps * tokens * dims + blocks * held * dims, 2 * held * dims),
            Accesses(
                "V",
                steps * tokens * value_dims + blocks * held * value_dims,
                2 * held * value_dims,
            ),
            Accesses(
                "scores",
                steps * tokens * held * (1 + value_dims // core.bits),
                2 * rows * held,
            ),
            Accesses("outputs", 2 * outputs, 2 * rows * value_dims),
        ),
    )


def _sampled(core):
    """Engine "sampled": two random indices for each query, two ANDs for each output, and the word
    of K and the words of V at these indices."""
    from .sampled.layout import banks, rotate_levels, skew, value_words

    tokens, dims, value_dims, steps = core.tokens, core.head_dim, core.value_dim, core.steps
    queries = steps * tokens
    drawn = queries if core.indices == "lfsr" else tokens
    words = value_words(core)
    held = banks(core) * core.steps_at_once * tokens
    turned = 2 * steps * skew(core) * (dims + value_dims)  # first rows, for the corner turn
    # A read of a beat of several words reads all of them.
    read = core.feed_rate * queries
    return Work(
        "per query two random indices and D + Dv ANDs, a rotation of D bits by log2 D levels",
        (
            Operations("Q AND K", "logic", 1, queries * dims),
            Operations("AND V", "logic", 1, queries * value_dims),
            Operations("rotation", "logic", 1, queries * dims * rotate_levels(core)),
            Operations("addresses", "add", tokens.bit_length(), queries * words),
            Operations("random bits", "logic", 1, drawn * (draw_bits(dims) + draw_bits(tokens))),
        ),
        (
            Accesses("K", steps * tokens * dims + read * dims, held * dims),
            Accesses(
                "V", steps * tokens * value_dims + read * words * value_dims, held * value_dims
            ),
            Accesses("first rows", turned, max(1, skew(core)) * (dims + value_dims)),
        ),
    )


def _with_encoders(core, attention):
    """The attention, and where streams carry values the encoders of their spikes."""
    if not core.by_value:
        return attention
    parts = [("attention", attention)]
    for name in "qkv":
        values = core.tokens * core.width(name)
        parts.append((f"encoder of {name}", encoder_work(values, core.steps, core.value_bits)))
    return replace(joined("", parts), formula=f"{attention.formula}; encoders: T N D comparisons")
