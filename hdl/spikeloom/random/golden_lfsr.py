"""Golden model of `spikeloom.random.lfsr`: the same bit sequence, computed in vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .taps import TAPS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def lfsr_sequence(width: int, states: Sequence[int] | NDArray, length: int) -> NDArray:
    """Output bits of LFSRs of one width.

    Parameters
    ----------
    width : bits of state, 3..64.
    states : sequence of R starting states (ints, not zero); bit n is ``s[n]``.
    length : bits to generate per LFSR.

    Returns (R, length) uint8, ``s[n + width] = XOR of s[n + t] for t in TAPS[width]``.

    Squaring a polynomial over GF(2) doubles its exponents, so the recurrence also holds with all
    distances scaled by a power of two. The longer the known part of the sequence, the more bits the
    next vector operation computes.
    """
    taps = TAPS[width]
    bits = np.empty((len(states), max(length, width)), np.uint8)
    for row, state in zip(bits, states, strict=True):
        row[:width] = [state >> n & 1 for n in range(width)]

    known = width
    scale = 1
    while known < length:
        while 2 * scale * width <= known:
            scale *= 2
        new = min(scale * (width - max(taps)), length - known)
        start = known - scale * width
        stretch = bits[:, known : known + new]
        stretch[:] = 0
        for tap in taps:
            stretch ^= bits[:, start + scale * tap : start + scale * tap + new]
        known += new
    return bits[:, :length]
