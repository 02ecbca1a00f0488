"""Rows of the bench of `a2os2a_block`, by lanes, and its operands in trained networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...contract import BenchRow
from ..a2os2a.bench import IN_NETWORKS
from ..a2os2a.expected import Densities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import A2OS2ABlock

ROWS = (
    BenchRow(
        "kv",
        "16",
        "ecp5-25f",
        {"tokens": 64, "head_dim": 64, "steps": 4, "order": "kv", "lanes": 16},
    ),
)


def trained_operands(self: A2OS2ABlock, rng: np.random.Generator) -> dict[str, NDArray]:
    """Normally distributed pre-activations, scaled until the neurons' outputs have the densities of
    `IN_NETWORKS`: a method of the core."""
    drawn = {name: rng.standard_normal(port.shape) for name, port in self.inputs.items()}
    low, high = dict.fromkeys(drawn, 0.0), dict.fromkeys(drawn, 2.0**self.input_bits)
    operands = {}
    for _ in range(16):
        scales = {name: (low[name] + high[name]) / 2 for name in drawn}
        for name, port in self.inputs.items():
            scaled = np.rint(drawn[name] * scales[name]).clip(port.item.low, port.item.high)
            operands[name] = scaled.astype(port.item.dtype)
        found = Densities.of(self.qkv(**operands))
        for name in drawn:
            bound = low if getattr(found, name) < IN_NETWORKS.densities[name] else high
            bound[name] = scales[name]
    return operands
