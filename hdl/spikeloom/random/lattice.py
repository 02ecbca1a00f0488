"""Offsets of a lattice over two indices: how the stratified index source walks through them.

Two indices, one of D and one of N, start anywhere and move on by these offsets from time step to
time step (a randomly shifted rank-1 lattice). Over D steps the first takes each of its values
once; over N steps so does the second; over N * D steps each pair comes exactly once.
"""

from dataclasses import dataclass
from math import gcd, sqrt


@dataclass(frozen=True)
class Lattice:
    """Strides per time step of two indices, and what the second gains each time the first is
    through. `size` is (D, N)."""

    size: tuple
    stride: tuple
    lap: int

    def offset(self, step):
        """Offsets (of the first index, of the second) at time step `step`."""
        first, second = self.size
        laps = step // first
        return step * self.stride[0] % first, (step * self.stride[1] + laps * self.lap) % second


def lattice(head_dim, tokens):
    """The lattice for D = `head_dim` and N = `tokens`.

    Strides are near irrational parts of the range, so that few steps are spread evenly too. A lap
    of D steps moves the second index by a stride of its own, which shares no factor with N.
    """
    stride = (_stride(head_dim, (sqrt(5) - 1) / 2), _stride(tokens, sqrt(2) - 1))
    between_laps = _stride(tokens, (sqrt(5) - 1) / 2)
    return Lattice((head_dim, tokens), stride, (between_laps - head_dim * stride[1]) % tokens)


def _stride(size, part):
    """The number nearest to ``part * size`` that shares no factor with `size`."""
    return min(
        (n for n in range(1, size + 1) if gcd(n, size) == 1), key=lambda n: abs(n - part * size)
    )
