"""Rows of the bench of `a2os2a_block`, by lanes."""

from ...contract import BenchRow

ROWS = (
    BenchRow(
        "kv",
        "16",
        "ecp5-25f",
        {"tokens": 64, "head_dim": 64, "steps": 4, "order": "kv", "lanes": 16},
        default=False,
    ),
)
