"""A threshold for each output of a layer, so that each one uses the whole range of its weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.networks.neuron import Neuron

from .rounding import CLIPS, largest_weight, rounded

FARTHEST = 4  # times the threshold of the layer; beyond, nothing is gained
COARSE = 32  # a multiple of the engine's shifts
FINEST = 8  # thresholds are so many times larger than their step, or the step is 1
GAIN = 0.8  # the least square error, of that with one threshold, that is worth the cycles


def varied(neuron: Neuron, weight: NDArray, bits: int) -> NDArray | None:
    """The thresholds (out,) of `neuron` for weights (in, out) that are given in units of their
    threshold; None if they are hardly better than one threshold.

    The engine adds what they differ by as rows of weights in each step. They are chosen so that one
    row suffices, where that leaves the weights their resolution.
    """
    step = 1 + neuron.leak
    found = _nearest(weight, neuron.threshold, bits, step)
    # A hard reset replaces a membrane by what all thresholds share, a soft one adds all of it.
    reach = found.max() if neuron.reset == "soft" else np.ptp(found) / 2
    if reach / step > largest_weight(bits) and found.min() >= FINEST * COARSE * step:
        found = _nearest(weight, neuron.threshold, bits, COARSE * step)
    common = _errors(weight, np.full(len(found), neuron.threshold), bits)
    return found if _errors(weight, found, bits).sum() <= GAIN * common.sum() else None


def offsets_from(thresholds: NDArray, step: int) -> tuple[int, NDArray]:
    """The threshold of a neuron, and the offsets of all outputs from it, multiples of `step`."""
    middle = int(thresholds.min() + np.ptp(thresholds) // (2 * step) * step)
    return middle, (thresholds - middle).astype(np.int32)


def _nearest(weight: NDArray, common: int, bits: int, step: int) -> NDArray:
    """The thresholds, multiples of `step`, whose rounded weights are nearest to the true ones
    (least squares)."""
    peaks = np.abs(weight).max(0)
    widest = largest_weight(bits) / np.maximum(peaks, 1e-30)
    best, errors = np.zeros(len(peaks), np.int64), np.full(len(peaks), np.inf)
    for clip in CLIPS:
        wanted = np.minimum(widest / clip, FARTHEST * common)
        tried = np.maximum(wanted // step, 1).astype(np.int64) * step
        error = _errors(weight, tried, bits)
        best, errors = np.where(error < errors, tried, best), np.minimum(error, errors)
    return np.where(peaks > 0, best, max(common // step, 1) * step)


def _errors(weight: NDArray, thresholds: NDArray, bits: int) -> NDArray:
    """The square error of the rounded weights of each output."""
    integers = rounded(weight * thresholds, largest_weight(bits))
    return np.square(integers / thresholds - weight).sum(0)
