"""One-spike phase codes: values to codes and back, sums to codes, codes to spike trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..tables import (
    LOG_FRACTION,
    exponent_logs,
    mantissa_logs,
    thresholds,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..core import Spiked


def encode_values(config: Spiked, values: NDArray) -> NDArray:
    """Codes of `values` in [-1, 1], as real numbers: the paper's definition.

    ``n = min {n >= 0 : |a| B**n >= (1 + 1/B) / 2}``, no spike where n >= T.
    """
    levels = config.half_step * config.base ** -np.arange(config.steps, dtype=float)
    return _first_reached(values, levels)


def encode_sums(config: Spiked, sums: NDArray, gain: float) -> NDArray:
    """Codes of integer `sums` in trace units; a spike at step 0 is worth `gain`."""
    return _first_reached(sums, np.array(thresholds(config, gain), np.int64))


def decode(config: Spiked, codes: NDArray) -> NDArray:
    """``sign * B**-n``, 0 for no spike."""
    codes = np.asarray(codes)
    return np.sign(codes) * config.base ** (1.0 - np.abs(codes))


def to_spike_train(config: Spiked, codes: NDArray) -> NDArray:
    """Codes (...) as signed spikes -1, 0, 1 of every step: (T, ...) int8."""
    codes = np.asarray(codes)
    step = np.arange(1, config.steps + 1).reshape(-1, *[1] * codes.ndim)
    return (np.sign(codes) * (np.abs(codes) == step)).astype(np.int8)


def from_spike_train(train: NDArray) -> NDArray:
    """Codes of signed spikes (T, ...): the first spike of each neuron counts."""
    train = np.asarray(train)
    first = (train != 0).argmax(0)
    sign = np.take_along_axis(train, first[None], 0)[0]
    return (sign * (first + 1)).astype(np.int16)


def logarithm(config: Spiked, magnitudes: NDArray, bits: int) -> NDArray:
    """``log_B`` of positive integers by tables of exponent and of `bits` bits of mantissa."""
    magnitudes = np.asarray(magnitudes, np.int64)
    exponent = np.frexp(magnitudes.astype(float))[1] - 1
    mantissa = np.where(
        exponent >= bits,
        magnitudes >> np.maximum(exponent - bits, 0),
        magnitudes << np.maximum(bits - exponent, 0),
    )
    exponents = np.array(exponent_logs(config.base, 64), np.int64)
    return exponents[exponent] + np.array(mantissa_logs(config.base, bits))[mantissa - (1 << bits)]


def encode_quotients(config: Spiked, sums: NDArray, divisors: NDArray, offset: int) -> NDArray:
    """Codes of ``sums / divisors`` by logarithms; `offset` is the `threshold_log` of a quotient 1.

    A `sums` entry spikes at the first n with ``log |sum| >= log divisor + offset - n``.
    """
    sums, divisors = np.broadcast_arrays(sums, divisors)
    log = logarithm(config, np.maximum(np.abs(sums), 1), config.log_bits)
    threshold = logarithm(config, np.maximum(divisors, 1), config.log_bits) + offset
    step = np.maximum(-((log - threshold) >> LOG_FRACTION), 0)
    silent = (sums == 0) | (step >= config.steps)
    return np.where(silent, 0, np.sign(sums) * (step + 1)).astype(np.int16)


def _first_reached(values, levels):
    """Codes of `values` against magnitudes falling from step to step."""
    values = np.asarray(values)
    reached = np.searchsorted(levels[::-1], np.abs(values), side="right")
    step = len(levels) - reached
    return np.where(reached == 0, 0, np.sign(values) * (step + 1)).astype(np.int16)
