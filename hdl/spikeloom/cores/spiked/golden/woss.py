"""Winner-oriented spike shift: a softmax of codes by subtraction and comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..tables import winner_fraction, winner_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..core import Spiked


def woss(config: Spiked, scores: NDArray, admitted: NDArray) -> NDArray:
    """Probability codes of score codes, row by row.

    The largest positive score of a row is the winner. The threshold starts at 1/2 and falls by 1
    per step; a neuron fires when it reaches the score minus the winner's.

    Parameters
    ----------
    scores : (rows, N) codes.
    admitted : (rows, N) bool; other neurons neither win nor fire.

    Returns (rows, N) int16, codes without negative spikes, before the division by their sum.
    """
    scores = np.where(admitted, scores, 0).astype(np.int64)
    potentials = np.array([0, *winner_table(config)], np.int64)

    positive = np.where(scores > 0, scores, config.steps + 1).min(axis=1)
    winner = np.where(positive <= config.steps, positive, 0)
    below = potentials[winner][:, None] - np.sign(scores) * potentials[np.abs(scores)]

    # first m with -below >= 1/2 - m
    fraction = winner_fraction(config)
    step = (below + (1 << fraction - 1) + (1 << fraction) - 1) >> fraction
    return np.where(admitted & (step < config.steps), step + 1, 0).astype(np.int16)
