"""Weights and biases in floating point as integers of the hardware."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import InputError
from spikeloom.networks.engine_limits import LANE_BITS
from spikeloom.networks.layers.weighted import digit_limits
from spikeloom.networks.values import weight_type

if TYPE_CHECKING:
    from .calibration import Inputs

CLIPS = np.linspace(0.4, 1.0, 25)  # candidates for the largest weight, as shares of the true one


@dataclass(frozen=True)
class Cut:
    """What rounding did to a layer: the share of weights beyond the largest integer, and the root
    mean square of the rounding error relative to that of the weights."""

    clipped: float
    error: float


def largest_weight(bits: int, lane_bits: int = LANE_BITS[-1]) -> int:
    """The largest magnitude of a weight of `bits` bits; both signs are used alike. A weight of more
    than `lane_bits` bits is two digits."""
    largest = 2 ** (bits - 1) - 1
    return largest if bits <= lane_bits else min(largest, digit_limits(lane_bits, lane_bits)[1])


def rounded(scaled: NDArray, largest: int) -> NDArray:
    """The nearest integers in ``-largest..largest``."""
    return np.clip(np.rint(scaled), -largest, largest)


def nearest_scale(weight: NDArray, scales: Iterable[float], largest: int) -> int:
    """The index of the factor to integers with the least square error."""
    errors = [np.square(weight - rounded(weight * s, largest) / s).sum() for s in scales]
    return int(np.argmin(errors))


def integer_fields(
    name: str,
    weight: NDArray,
    bias: NDArray,
    scale: float | NDArray,
    bits: int,
    inputs: Inputs | None = None,
    lane_bits: int = LANE_BITS[-1],
) -> tuple[dict[str, Any], Cut]:
    """Fields of layer `name` with weights (in, out) and biases in integers, and what was lost.
    `scale` is the factor to integers, or one for each output. Weights have `bits` bits; those of
    more than `lane_bits` are two digits.

    With `inputs`, the errors of rounding cancel for them. Raises `InputError` for weights that
    overflow.
    """
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise InputError(f"layer {name}: its weights overflow, with the normalisation in them")
    largest = largest_weight(bits, lane_bits)
    scaled = weight * scale
    integers, power = rounded(scaled, largest), max(float(np.square(scaled).mean()), 1e-12)
    if inputs is not None:
        integers = inputs.rounded(scaled, largest)
        bias = bias + inputs.mean @ (scaled - integers) / scale
    cut = Cut(
        clipped=float((np.abs(scaled) > largest + 0.5).mean()),
        error=math.sqrt(float(np.square(integers - scaled).mean()) / power),
    )
    fields = {
        "weight": integers.astype(weight_type(bits)),
        "bias": np.clip(np.rint(bias * scale), -(2**31), 2**31 - 1).astype(np.int32),
        "weight_bits": bits,
    }
    return fields, cut
