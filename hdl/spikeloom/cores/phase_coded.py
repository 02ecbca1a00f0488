"""Common base of units for one-spike phase codes: the keys of the code, and its tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..configuration import integer, number
from ..stream_unit import StreamUnit
from .spiked.core import Spiked


@dataclass(frozen=True, kw_only=True)
class PhaseCoded(StreamUnit):
    """A single stage of `Spiked`. A spike at step n represents ``sign * base**-n``.

    Sums are fixed-point numbers with `frac_bits` fraction bits.
    """

    SOURCE = '"SpikedAttention", NeurIPS 2024'

    steps: int = integer("time steps T of a one-spike code", low=1, high=64, default=40)
    base: float = number(
        "base B of the phase code: a spike one step later is worth 1/B as much",
        low=1.001,
        high=2,
        default=1.15,
        why="nearer to 1, 64 steps reach down by 6 % only and tables outgrow any device",
    )
    frac_bits: int = integer("fraction bits of traces and sums", low=8, high=28, default=20)

    def stage_of(self, *, tokens: int = 1, head_dim: int = 1, **keys: Any) -> Spiked:
        """The `Spiked` core that contains this stage, for components and golden models."""
        code = {"steps": self.steps, "base": self.base, "frac_bits": self.frac_bits}
        return Spiked(tokens=tokens, head_dim=head_dim, **code, **keys)

    def decoded(self, codes: NDArray, scale: float = 1.0) -> NDArray:
        """The numbers that `codes` represent; a spike at step 0 represents `scale`."""
        from .spiked.golden import decode

        return decode(self.stage_of(), codes) * scale

    def code_views(self, scale: float = 1.0) -> dict[str, Callable[[NDArray], NDArray]]:
        """Views of codes: as numbers, or unchanged."""
        return {"values": lambda codes: self.decoded(codes, scale), "codes": lambda codes: codes}

    def sum_views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        """Views of sums: as numbers, or as integers in trace units."""
        return {"values": lambda sums: sums / 2**self.frac_bits, "sums": lambda sums: sums}

    def spread_out(self, sums: NDArray, rng: np.random.Generator, *, above: int = 1) -> NDArray:
        """Random `sums`, each scaled down by a random factor, so that spikes occur at every step
        and some sums cause none; `above` sums at the top are unchanged."""
        exponent = rng.uniform(-above, self.steps + 1, sums.shape).clip(0)
        return np.rint(sums * self.base**-exponent).astype(sums.dtype)
