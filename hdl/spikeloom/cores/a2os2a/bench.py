"""Rows of the bench of `a2os2a`, by lanes."""

from dataclasses import asdict

from ...contract import BenchRow, Trained
from .expected import TRAINED

SHAPE = {"tokens": 64, "head_dim": 64}

IN_NETWORKS = Trained(
    asdict(TRAINED),
    "Spikformer trained on Fashion-MNIST, two blocks: q 0.34 and 0.32, k 0.25 and 0.23, v 0.23 and "
    "0.25",
)

ROWS = (
    BenchRow("kv", "8", "up5k", SHAPE | {"order": "kv", "lanes": 8}),
    BenchRow("kv", "64", "ecp5-25f", SHAPE | {"order": "kv", "lanes": 64}),
    BenchRow("kv", "8", "gw1nr-9c", SHAPE | {"order": "kv", "lanes": 8}, default=False),
    BenchRow("kv", "32", "gw2ar-18c", SHAPE | {"order": "kv", "lanes": 32}, default=False),
    BenchRow("kv", "32", "ccgm1a1", SHAPE | {"order": "kv", "lanes": 32}, default=False),
    BenchRow("kv", "64", "ecp5-85f", SHAPE | {"order": "kv", "lanes": 64}, default=False),
    BenchRow("qk", "64", "ecp5-25f", SHAPE | {"order": "qk", "lanes": 64}, default=False),
)
