"""Rows of the bench of `a2os2a`, by lanes."""

from ...contract import BenchRow

SHAPE = {"tokens": 64, "head_dim": 64}

ROWS = (
    BenchRow("kv", "8", "up5k", SHAPE | {"order": "kv", "lanes": 8}),
    BenchRow("kv", "64", "ecp5-25f", SHAPE | {"order": "kv", "lanes": 64}),
    BenchRow("kv", "64", "ecp5-85f", SHAPE | {"order": "kv", "lanes": 64}, default=False),
    BenchRow("qk", "64", "ecp5-25f", SHAPE | {"order": "qk", "lanes": 64}, default=False),
)
