"""Operations and memory traffic of the `int8_softmax` core."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

from ...work import Accesses, Operations, Work

if TYPE_CHECKING:
    from .core import Int8Softmax

QUOTIENT = 9  # subtractions of a division


def work(core: Int8Softmax) -> Work:
    """The work of a run, whatever the operands. A product of numbers of different widths counts as
    one of the width with the same product of widths, rounded up."""
    pairs = core.tokens**2
    weights = pairs * core.groups  # computed again for each group
    width = max(8, ceil(sqrt(8 * core.prob_bits)))
    shifts = (core.prob_bits + 1) * (core.prob_bits + 1).bit_length()
    q, v = 8 * core.head_dim, 8 * core.value_dim  # bits of a token
    table = core.prob_bits << core.fraction
    return Work(
        "N^2 (D + Dv) multiplications and additions; for each score a comparison, and for each "
        "group of lanes outputs its weight: two additions, a table, a shift, the sum; 9 "
        "subtractions for each output",
        (
            Operations("Q K^T", "multiply", 8, pairs * core.head_dim),
            Operations("Q K^T", "add", core.sum_bits, pairs * core.head_dim),
            Operations("softmax: largest score", "add", core.score_bits, pairs),
            Operations("softmax: difference", "add", core.score_bits, weights),
            Operations("softmax: shift", "logic", shifts, weights),
            Operations("softmax: rounding", "add", core.prob_bits, weights),
            Operations("softmax: sum", "add", core.norm_bits, weights),
            Operations("P V", "multiply", width, pairs * core.value_dim),
            Operations("P V", "add", core.acc_bits, pairs * core.value_dim),
            Operations("division", "add", core.norm_bits, QUOTIENT * core.tokens * core.value_dim),
        ),
        (
            Accesses("Q", core.tokens * q + pairs * q, 2 * q),
            Accesses("K", core.tokens * q + pairs * q, core.tokens * q),
            Accesses("V", core.tokens * v + pairs * v, core.tokens * v),
            Accesses("scores", (pairs + weights) * core.score_bits, core.tokens * core.score_bits),
            Accesses("exponentials", weights * core.prob_bits, table),
        ),
    )
