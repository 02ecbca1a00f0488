"""The lattice over the pairs (dimension, key) that the stratified index source follows.

A query starts from a random pair, dimension c below D and key j below N, to which each time step
adds an offset (a randomly shifted rank-1 lattice). Over D steps c takes each of its values once;
for N = D so does j. Over N * D steps each pair occurs exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, sqrt
from typing import Any


@dataclass(frozen=True)
class Lattice:
    """`size` is (D, N), `stride` the increments of c and j per time step, `lap` an additional
    increment of j after every D time steps."""

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
        """Increments of `s` (modulo D) and of `b` (modulo N) over `steps` time steps.

        The latter is a function of whether these steps include one lap of D more than the minimum,
        and of whether `s` wraps around D.
        """
        dims, tokens = self.size
        c = steps * self.stride[0] % dims
        j = steps * self.stride[1] + steps // dims * self.lap
        return c, lambda lap, round_: (j + lap * self.lap - c + round_ * dims) % tokens


def lattice(head_dim: int, tokens: int) -> Lattice:
    """The lattice for D = `head_dim` and N = `tokens`.

    Strides are close to irrational fractions of the range, so that even a few steps are spread
    evenly. A lap of D steps adds another stride to j, coprime with N.
    """
    stride = (_stride(head_dim, (sqrt(5) - 1) / 2), _stride(tokens, sqrt(2) - 1))
    between_laps = _stride(tokens, (sqrt(5) - 1) / 2)
    return Lattice((head_dim, tokens), stride, (between_laps - head_dim * stride[1]) % tokens)


def _stride(size, part):
    """The number nearest to ``part * size`` that is coprime with `size`."""
    return min(
        (n for n in range(1, size + 1) if gcd(n, size) == 1), key=lambda n: abs(n - part * size)
    )
