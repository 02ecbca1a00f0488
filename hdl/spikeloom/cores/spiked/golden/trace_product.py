"""Trace-driven product of two matrices of one-spike codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..tables import trace_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..core import Spiked


def trace_product(config: Spiked, events: NDArray, stationary: NDArray) -> NDArray:
    """``sum_x a[l, x] b[t, x]`` of the decoded codes, with every product from the trace table.

    Parameters
    ----------
    events : (lines, length) codes.
    stationary : (tokens, length) codes.

    Returns (lines, tokens) int64 in trace units.
    """
    weights = np.array([*trace_table(config), 0], np.int64)
    events, stationary = np.asarray(events, np.int64), np.asarray(stationary, np.int64)
    sums = np.zeros((len(events), len(stationary)), np.int64)
    for a, b in zip(events.T[:, :, None], stationary.T[:, None, :], strict=True):
        sign = np.sign(a) * np.sign(b)
        sums += sign * weights[np.where(sign != 0, abs(a) + abs(b) - 2, -1)]
    return sums
