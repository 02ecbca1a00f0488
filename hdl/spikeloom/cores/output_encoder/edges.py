"""Operands of which a small error of a logarithm changes the codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..spiked.golden.phase_code import logarithm
from ..spiked.tables import LOG_FRACTION, threshold_log

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import OutputEncoderUnit

NEAREST = 4  # numbers among which one is chosen at random
CANDIDATES = 4096  # logarithms from which they are
ZEROS = 1 / 32  # share of normalisers and of sums


def operands_at_edges(unit: OutputEncoderUnit, rng: np.random.Generator) -> NDArray:
    """Normalisers and sums whose logarithms are nearly a whole number of steps apart.

    Normalisers have any magnitude, or those of half the tokens fit a sum of any magnitude in the
    first line. Each sum is the first or the last one with its logarithm, so that its neighbour has
    another code. Some of both are 0.
    """
    stage, bits = unit.stage, unit.log_bits
    most = unit.tokens << unit.frac_bits
    starts = _starts(most, bits)
    last = np.append(starts[1:] - 1, most)
    chosen = rng.permutation(starts.size)[:CANDIDATES]
    logs = logarithm(stage, starts[chosen], bits)
    offset = threshold_log(stage, stage.output_gain)

    magnitudes = np.exp2(rng.uniform(0, np.log2(most), (2, unit.tokens)))
    normaliser, first_line = magnitudes.astype(np.int64)
    normaliser[rng.random(unit.tokens) < ZEROS] = 0
    fits = rng.random(unit.tokens) < 0.5
    wanted = logs + offset - logarithm(stage, first_line, bits)[:, None]
    (fitting,) = chosen[_at_edges(unit, wanted, 1, rng)]
    normaliser = np.where(fits, starts[fitting], normaliser)

    threshold = logarithm(stage, normaliser.clip(1), bits) + offset
    place = chosen[_at_edges(unit, threshold[:, None] - logs, unit.value_dim, rng)]
    in_first = np.searchsorted(starts, first_line, side="right") - 1
    place[0] = np.where(fits, in_first, place[0])
    _, missing = _edge(threshold - logarithm(stage, starts[place], bits))
    sums = np.where(missing > 0, last[place], starts[place])
    sums[rng.random(sums.shape) < ZEROS] = 0
    return np.concatenate([[normaliser], sums * rng.choice((-1, 1), sums.shape)])


def _starts(most: int, bits: int) -> NDArray:
    """The least of all integers from 1 to `most` with the same logarithm, of each logarithm."""
    exponents = np.arange(most.bit_length())[:, None]
    mantissas = (1 << bits) + np.arange(1 << bits)
    starts = -((-mantissas << exponents) >> bits)  # rounded up
    return np.unique(starts[starts <= most])


def _edge(gap: NDArray) -> tuple[NDArray, NDArray]:
    """The whole number of steps that is nearest to a difference of logarithms, and what is left:
    above 0, a spike comes a step later."""
    edge = (gap + (1 << LOG_FRACTION - 1)) >> LOG_FRACTION
    return edge, gap - (edge << LOG_FRACTION)


def _at_edges(
    unit: OutputEncoderUnit, gaps: NDArray, lines: int, rng: np.random.Generator
) -> NDArray:
    """For each line and token, one of the columns of `gaps` (token, candidate) that are nearest to
    a whole number of steps at which the code changes."""
    edge, missing = _edge(gaps)
    reached = (edge >= 0) & (edge < unit.steps)
    near = np.argsort(np.where(reached, abs(missing), 1 << LOG_FRACTION), axis=1)[:, :NEAREST]
    choice = rng.integers(0, near.shape[1], (lines, unit.tokens))
    return near[np.arange(unit.tokens), choice]
