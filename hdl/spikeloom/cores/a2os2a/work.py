"""Operations and memory traffic of the `a2os2a` core, by order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...work import Accesses, Operations, Work
from .expected import any_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import A2OS2A


def work(core: A2OS2A, densities: Mapping[str, float], operands: Mapping[str, NDArray]) -> Work:
    """The work of a run: of `operands`, or the expected one with independent zeros."""
    if core.chosen_order == "kv":
        return _state_first(core, *_state_counts(core, densities, operands))
    return _scores_first(core, *_score_counts(core, densities, operands))


def _spikes(core, operands):
    """Where Q, K and V (T, N, ...) are not zero, as 0 and 1."""
    return [(operands[n].reshape(core.steps, core.tokens, -1) != 0).astype(np.int64) for n in "qkv"]


def _state_counts(core, densities, operands):
    """Additions to the state, spikes of Q, and events that read and write a word of the state."""
    tokens, dims = core.tokens, core.head_dim
    first = core.steps * dims * core.groups  # the first token of a step sets every word
    if operands:
        q, k, v = _spikes(core, operands)
        wanted = v.reshape(core.steps, tokens, core.groups, -1).any(3).sum(2)
        return (
            int((k.sum(2) * v.sum(2)).sum()),
            int(q.sum()),
            first + int((k.sum(2) * wanted)[:, 1:].sum()),
        )
    rows = core.steps * tokens * dims
    wanted = core.groups * any_of(densities["v"], core.lanes)
    return (
        rows * densities["k"] * core.value_dim * densities["v"],
        rows * densities["q"],
        first + core.steps * (tokens - 1) * dims * densities["k"] * wanted,
    )


def _state_first(core, learned, spikes, events):
    """Order `kv`: the outer products k v^T, then a row of the state for each spike of Q."""
    state, width = core.stored_bits, core.value_dim
    answers = spikes * core.groups
    return Work(
        "an addition to K^T V for each pair of nonzero elements of k and v of a token, and Dv "
        "additions for each spike of Q",
        (
            Operations("K^T V", "add", core.state_bits, learned),
            Operations("Q (K^T V)", "add", core.acc_bits, spikes * width),
        ),
        (
            Accesses(
                "K^T V",
                (2 * events + answers) * core.lanes * state,
                core.head_dim * width * state,
            ),
        ),
    )


def _score_counts(core, densities, operands):
    """Additions to scores, reads of a token of K, nonzero scores, and additions of V."""
    if operands:
        q, k, v = _spikes(core, operands)
        matches = np.einsum("tid,tjd->tij", q, k)
        kept = k.any(2) & v.any(2)
        pairs = q.any(2)[:, :, None] & kept[:, None, :]
        if core.mask == "causal":
            matches, pairs = np.tril(matches), np.tril(pairs)
        matches = matches * pairs
        scores = matches > 0
        return (
            int(matches.sum()),
            int(pairs.sum()),
            int(scores.sum()),
            int((scores.sum(1) * v.sum(2)).sum()),
        )
    dims, width, tokens = core.head_dim, core.value_dim, core.tokens
    count = core.steps * (tokens * (tokens + 1) / 2 if core.mask == "causal" else tokens**2)
    filled = any_of(densities["v"], width)  # without a spike of V a token is not kept
    pair = densities["q"] * densities["k"]
    scores = count * any_of(pair, dims) * filled
    kept = count * any_of(densities["q"], dims) * any_of(densities["k"], dims) * filled
    spikes = width * densities["v"] / filled if filled else 0
    return count * dims * pair * filled, kept, scores, scores * spikes


def _scores_first(core, matches, reads, scores, added):
    """Order `qk`: the scores of a query, then a row of V for each that is not zero."""
    tokens, dims, width = core.tokens, core.head_dim, core.value_dim
    kept, values = tokens * dims * core.k_bits, tokens * width * core.v_item.bits
    entry = core.score_bits
    return Work(
        "an addition for each spike of Q that meets a nonzero element of K, and for each score and "
        "nonzero element of V",
        (
            Operations("Q K^T", "add", core.score_bits, matches),
            Operations("(Q K^T) V", "add", core.acc_bits, added),
        ),
        (
            Accesses("K", core.steps * kept + reads * dims * core.k_bits, kept),
            Accesses("V", core.steps * values + scores * width * core.v_item.bits, values),
            Accesses("scores", scores * entry * (1 + core.groups), tokens * entry),
        ),
    )
