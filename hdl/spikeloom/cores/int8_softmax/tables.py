"""The table of exponentials, which golden model and hardware share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core import Int8Softmax


def exponentials(core: Int8Softmax) -> list[int]:
    """``2^-(f / 2^fraction)`` for every fraction f, the largest weight for f = 0."""
    steps = 2**core.fraction
    return [round((2**core.prob_bits - 1) * 2 ** (-f / steps)) for f in range(steps)]
