"""Rows of the bench of `spiked`, by lanes, and by lanes x events."""

from ...contract import BenchRow

SHAPE = {"tokens": 49, "head_dim": 32, "steps": 40}

ROWS = (
    BenchRow("trace", "1", "ecp5-25f", SHAPE | {"lanes": 1}),
    BenchRow("trace", "7", "ecp5-25f", SHAPE | {"lanes": 7}, default=False),
    BenchRow("trace", "7x2", "ecp5-25f", SHAPE | {"lanes": 7, "events": 2}, default=False),
    BenchRow("trace", "49", "ecp5-85f", SHAPE | {"lanes": 49}, default=False),
    BenchRow("trace", "49x2", "ecp5-85f", SHAPE | {"lanes": 49, "events": 2}, default=False),
)
