"""Sums whose code a small error of a logarithm changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..spiked.golden.phase_code import logarithm
from ..spiked.tables import LOG_FRACTION, threshold_log

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import OutputEncoderUnit

NEAREST = 4  # sums among which one is chosen at random
CANDIDATES = 4096  # intervals of equal logarithms from which they are


def operands_at_edges(unit: OutputEncoderUnit, rng: np.random.Generator) -> NDArray:
    """Random normalisers of any magnitude, and sums near them whose logarithms are nearly whole
    steps away; each is the first or the last with its logarithm, so that its neighbour has
    another code."""
    stage, bits = unit.stage, unit.log_bits
    most = unit.tokens << unit.frac_bits
    normaliser = np.exp2(rng.uniform(0, np.log2(most), unit.tokens)).astype(np.int64)

    starts = _starts(most, bits)
    last = np.append(starts[1:] - 1, most)
    chosen = rng.permutation(starts.size)[:CANDIDATES]
    offset = threshold_log(stage, stage.output_gain)
    wanted = logarithm(stage, normaliser, bits) + offset
    gap = wanted[:, None] - logarithm(stage, starts[chosen], bits)
    edge = (gap + (1 << LOG_FRACTION - 1)) >> LOG_FRACTION  # the nearest whole number of steps
    missing = gap - (edge << LOG_FRACTION)  # above 0: the sum spikes a step later
    reached = (edge >= 0) & (edge < unit.steps)
    near = np.argsort(np.where(reached, abs(missing), 1 << LOG_FRACTION), axis=1)[:, :NEAREST]
    tokens = np.arange(unit.tokens)
    place = near[tokens, rng.integers(0, near.shape[1], (unit.value_dim, unit.tokens))]
    first, last = starts[chosen][place], last[chosen][place]
    sums = np.where(missing[tokens, place] > 0, last, first)
    return np.concatenate([[normaliser], sums * rng.choice((-1, 1), sums.shape)])


def _starts(most: int, bits: int) -> NDArray:
    """The least of all integers from 1 to `most` with the same logarithm, of each logarithm."""
    exponents = np.arange(most.bit_length())[:, None]
    mantissas = (1 << bits) + np.arange(1 << bits)
    starts = -((-mantissas << exponents) >> bits)  # rounded up
    return np.unique(starts[starts <= most])
