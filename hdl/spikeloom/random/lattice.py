"""A lattice over the pairs (dimension, key): how the stratified index source walks through them.

A query starts anywhere, dimension c below D and key j below N, and moves on by these offsets from
time step to time step (a randomly shifted rank-1 lattice). Over D steps c takes each of its values
once, over N = D steps so does j, and over N * D steps each pair comes exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, sqrt
from typing import Any


@dataclass(frozen=True)
class Lattice:
    """`size` is (D, N), `stride` what c and j gain per time step, `lap` what j gains besides each
    time that c is through."""

    size: tuple
    stride: tuple
    lap: int

    def offset(self, step: int) -> tuple[int, ...]:
        """Offsets of the indices `s` and `b` at time step `step`: ``c = s``, ``j = c + b``."""
        dims, tokens = self.size
        c = step * self.stride[0] % dims
        j = step * self.stride[1] + step // dims * self.lap
        return c, (j - c) % tokens

    def moves(self, steps: int) -> Any:
        """What `steps` time steps add to `s` (modulo D) and to `b` (modulo N).

        The latter as a function of whether time steps go round D by one lap more than usual, and
        of whether `s` goes round D.
        """
        dims, tokens = self.size
        c = steps * self.stride[0] % dims
        j = steps * self.stride[1] + steps // dims * self.lap
        return c, lambda lap, round_: (j + lap * self.lap - c + round_ * dims) % tokens


def lattice(head_dim: int, tokens: int) -> Lattice:
    """The lattice for D = `head_dim` and N = `tokens`.

    Strides are near irrational parts of the range, so that few steps are spread evenly too. A lap
    of D steps moves j by a stride of its own, which shares no factor with N.
    """
    stride = (_stride(head_dim, (sqrt(5) - 1) / 2), _stride(tokens, sqrt(2) - 1))
    between_laps = _stride(tokens, (sqrt(5) - 1) / 2)
    return Lattice((head_dim, tokens), stride, (between_laps - head_dim * stride[1]) % tokens)


def _stride(size, part):
    """The number nearest to ``part * size`` that shares no factor with `size`."""
    return min(
        (n for n in range(1, size + 1) if gcd(n, size) == 1), key=lambda n: abs(n - part * size)
    )
