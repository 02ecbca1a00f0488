"""Operations and memory traffic of the `spiked` core, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...item import PhaseCode
from ...work import Accesses, Operations, Work, joined
from .tables import LOG_FRACTION, coarse_bits, winner_fraction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import Spiked

MANTISSA_BITS = LOG_FRACTION + 4  # of a logarithm: its fraction, and of the whole part what matters


def product_work(
    config: Spiked, tokens: int, lines: int, length: int, spikes: float, pairs: float
) -> Work:
    """A trace product of `lines` lines of codes with `spikes` spikes in all, of which `pairs` meet
    a spike of the `tokens` stationary tokens.

    Each spike reads the codes of all tokens. Each pair of spikes adds the steps, reads their
    product from the table and adds it to a sum.
    """
    code = PhaseCode(config.steps).bits
    stored, kept = lines * length * code, tokens * length * code
    trace = config.frac_bits + 1
    bits = (length << config.frac_bits).bit_length() + 1
    return Work(
        "2 per pair of spikes: steps added, trace added",
        (
            Operations("steps of a pair", "add", code, pairs),
            Operations("traces", "add", bits, pairs),
        ),
        (
            Accesses("events", stored + spikes * code, stored),
            Accesses("codes of tokens", kept + spikes * tokens * code, kept),
            Accesses("trace table", pairs * trace, (2 * config.steps - 1) * trace),
        ),
    )


def encoding_work(config: Spiked, values: float) -> Work:
    """Codes of `values` sums: a coarse logarithm, the step, and the threshold of the step."""
    bits = config.frac_bits + 8
    mantissas = 2 ** coarse_bits(config) * MANTISSA_BITS
    return Work(
        "3 n: logarithm, step, threshold",
        (
            Operations("logarithm and step", "add", MANTISSA_BITS, 2 * values),
            Operations("threshold", "add", bits, values),
        ),
        (
            Accesses("table of logarithms", values * MANTISSA_BITS, mantissas),
            Accesses("table of thresholds", values * bits, config.steps * bits),
        ),
    )


def woss_work(config: Spiked, scores: float) -> Work:
    """WOSS of the admitted `scores`: the winner of their row, and the potential below it."""
    code = PhaseCode(config.steps).bits
    potential = winner_fraction(config) + 8
    row = config.tokens * code
    return Work(
        "2 per admitted score: winner, potential",
        (
            Operations("winner", "add", code, scores),
            Operations("potential", "add", potential, scores),
        ),
        (
            Accesses("rows of codes", 2 * scores * code, 2 * row),
            Accesses("table of potentials", scores * potential, config.steps * potential),
        ),
    )


def output_work(config: Spiked, sums: float, rows: float) -> Work:
    """Codes of the quotients of `sums` sums and the normalisers of `rows` rows."""
    count = sums + rows
    mantissas = 2**config.log_bits * MANTISSA_BITS
    return Work(
        "2 per sum (logarithm, step), 2 per normaliser (logarithm, scale)",
        (Operations("logarithm, step or scale", "add", MANTISSA_BITS, 2 * count),),
        (Accesses("table of logarithms", count * MANTISSA_BITS, mantissas),),
    )


def work(core: Spiked, operands: Mapping[str, NDArray]) -> Work:
    """The work of all heads, whose `operands` are codes."""
    from .golden import trace
    from .golden.head import admitted

    tokens, dims, value_dims = core.tokens, core.head_dim, core.value_dim
    q, k, v = (operands[name].reshape(core.heads, tokens, -1) for name in "qkv")
    scores = int(admitted(tokens, core.mask).sum())
    spikes = pairs = value_spikes = value_pairs = 0
    for head in range(core.heads):
        spikes += int(np.count_nonzero(q[head]))
        pairs += int(np.count_nonzero(q[head], 0) @ np.count_nonzero(k[head], 0))
        probabilities = trace(core, q[head], k[head], v[head]).probabilities
        lines = 1 + np.count_nonzero(v[head], 1)  # the line of ones
        value_spikes += int(lines.sum())
        value_pairs += int(lines @ np.count_nonzero(probabilities, 0))
    heads = core.heads
    return joined(
        "2 per pair of spikes of Q and K and of V and probabilities; 3 per score and 2 per "
        "admitted score; 2 per output and row",
        (
            ("scores", product_work(core, tokens, heads * tokens, dims, spikes, pairs)),
            ("score codes", encoding_work(core, heads * tokens**2)),
            ("softmax", woss_work(core, heads * scores)),
            (
                "outputs",
                product_work(
                    core, tokens, heads * (value_dims + 1), tokens, value_spikes, value_pairs
                ),
            ),
            ("output codes", output_work(core, heads * tokens * value_dims, heads * tokens)),
        ),
    )
