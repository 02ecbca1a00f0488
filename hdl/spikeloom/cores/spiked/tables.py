"""Integer constants of the `spiked` core, shared by hardware and golden model.

Traces and sums have ``frac_bits`` fraction bits, logarithms to the base B ``LOG_FRACTION``.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log, log2
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core import Spiked

LOG_FRACTION = 12
MIN_LARGEST_SUM = 256  # lower bound of the largest sum, in products of 1


def trace_table(config: Spiked) -> list[int]:
    """``B**-e`` for e = 0..2T - 2: the product of two spikes whose steps add up to e.

    A trace latched n steps ago and weighted with ``B**-t`` is entry ``n + t``.
    """
    unit = 1 << config.frac_bits
    return [round(unit * config.base**-e) for e in range(2 * config.steps - 1)]


def thresholds(config: Spiked, gain: float) -> list[int]:
    """Least magnitude that spikes at step n or before, for n = 0..T - 1, in trace units.

    `gain` is the value of a spike at step 0. Thresholds above the largest sum are clipped to one
    above it.
    """
    top = 2**config.frac_bits * config.half_step * gain
    largest_sum = max(MIN_LARGEST_SUM, config.tokens, config.head_dim)  # of products of 1
    unreached = largest_sum * 2**config.frac_bits + 1
    return [min(max(1, ceil(top * config.base**-n)), unreached) for n in range(config.steps)]


def threshold_log(config: Spiked, gain: float) -> int:
    """Logarithm of the threshold at step 0, if a spike at step 0 has the value `gain`."""
    return log_fixed(config.base, config.half_step * gain)


def log_fixed(base: float, x: float) -> int:
    """``log_B x`` with `LOG_FRACTION` fraction bits, rounded to nearest."""
    return round(2**LOG_FRACTION * log(x) / log(base))


@lru_cache(maxsize=16)
def mantissa_logs(base: float, bits: int) -> tuple[int, ...]:
    """``log_B(1 + m)`` in the middle of each of ``2**bits`` intervals of the mantissa m."""
    return tuple(log_fixed(base, 1 + (m + 0.5) / 2**bits) for m in range(2**bits))


@lru_cache(maxsize=16)
def exponent_logs(base: float, width: int) -> tuple[int, ...]:
    """``log_B 2**e`` for e = 0..width - 1."""
    return tuple(log_fixed(base, 2**e) for e in range(width))


def coarse_bits(config: Spiked) -> int:
    """Mantissa bits for which the error of a logarithm is less than a third of a step."""
    return max(1, ceil(log2(2 / log(config.base))))


def winner_fraction(config: Spiked) -> int:
    """Fraction bits of WOSS potentials; one step of the threshold is 1."""
    return config.frac_bits - 4


def winner_table(config: Spiked) -> list[int]:
    """``M / ln B * B**-n`` for n = 0..T - 1: a score's potential in steps of the threshold."""
    unit = 2 ** winner_fraction(config) * config.scales["score"] / log(config.base)
    return [round(unit * config.base**-n) for n in range(config.steps)]
