"""What the accumulators of neurons begin a step with, see `Lanes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .bitmaps import padded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .bitmaps import Columns


def step_constant(layer: Any) -> NDArray:
    """What is added at the beginning of each step: the bias, and the rest of a leaky neuron."""
    bias = np.asarray(getattr(layer, "bias", 0), np.int64)
    offsets = getattr(layer, "threshold_offsets", None)
    if offsets is not None and leak_of(layer):
        return bias - (layer.neuron.thresholds(offsets) >> 1)
    return bias + (rest_of(layer) if leak_of(layer) else 0)


def varied_rest(layer: Any) -> NDArray | None:
    """What replaces the accumulators of neurons with different thresholds after a spike, less the
    rest of the operation, which is 0 with a soft reset; None if the thresholds are equal."""
    if getattr(layer, "threshold_offsets", None) is None:
        return None
    offsets = layer.threshold_offsets.astype(np.int64)
    soft = layer.neuron.reset == "soft"
    return -((offsets + (layer.neuron.threshold if soft else 0)) >> leak_of(layer))


def padded_rests(layer: Any, columns: Columns, unit: int) -> NDArray | None:
    """`varied_rest` at the columns, of which there are whole units; neurons of others never
    fire."""
    rests = varied_rest(layer)
    if rests is None:
        return None
    width = padded(columns.heads * columns.pitch, unit)
    found = np.full(width, min(0, rests.min()), np.int64)
    found[columns.places] = rests
    return found


def rest_of(layer: Any) -> int:
    """What replaces the accumulator of a neuron after a spike, see `Lanes`."""
    if layer.neuron.kind in ("phase", "none"):
        return 0
    return -(layer.neuron.threshold << (layer.neuron.bits - 1) >> leak_of(layer))


def leak_of(layer: Any) -> int:
    """Places by which the accumulator of a neuron is shifted."""
    return 0 if layer.neuron.kind in ("relu", "phase", "none") else layer.neuron.leak
