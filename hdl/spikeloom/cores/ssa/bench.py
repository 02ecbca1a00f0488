"""Rows of the bench of `ssa`: engine "sampled" by lanes x time steps at once, "counter" by cells x
bits; "diagonals": without the corner turn; "four-diagonals": with four of them in a beat."""

from ...contract import BenchRow, Trained

SHAPE = {"tokens": 64, "head_dim": 64, "steps": 10}
SAMPLED = SHAPE | {"engine": "sampled"}
DIAGONALS = SAMPLED | {"feed": "diagonals"}
FOUR_STEPS = DIAGONALS | {"steps_at_once": 4, "random": "own"}
COUNTER = SHAPE | {"cells": 16, "bits": 8}

IN_NETWORKS = Trained({"q": 0.8, "k": 0.6, "v": 0.4}, "heads of trained SSA networks")

ROWS = (
    BenchRow("sampled", "1x1", "up5k", SAMPLED | {"random": "own"}),
    BenchRow("sampled", "1x1", "hx8k", SAMPLED | {"random": "own"}),
    BenchRow("sampled", "1x1-diagonals", "hx8k", DIAGONALS | {"random": "own"}),
    BenchRow("sampled", "1x4-diagonals", "hx8k", FOUR_STEPS),
    BenchRow("sampled", "1x1", "ecp5-25f", SAMPLED),
    BenchRow("sampled", "1x1", "ecp5-85f", SAMPLED, default=False),
    BenchRow("sampled", "1x1", "gw2ar-18c", SAMPLED, default=False),
    BenchRow("sampled", "1x1", "ccgm1a1", SAMPLED, default=False),
    BenchRow("sampled", "1x10-diagonals", "ecp5-25f", DIAGONALS | {"steps_at_once": 10}),
    BenchRow(
        "sampled",
        "4x10-diagonals",
        "ecp5-85f",
        DIAGONALS | {"lanes": 4, "steps_at_once": 10},
        default=False,
    ),
    BenchRow(
        "sampled",
        "4x10-four-diagonals",
        "ecp5-85f",
        DIAGONALS | {"lanes": 4, "steps_at_once": 10, "feed_rate": 4},
        default=False,
    ),
    BenchRow("counter", "16x8", "up5k", COUNTER),
    BenchRow("counter", "16x8", "hx8k", COUNTER, default=False),
    BenchRow("counter", "16x8", "ecp5-25f", COUNTER, default=False),
    BenchRow("counter", "64x64", "ecp5-85f", SHAPE | {"cells": 64, "bits": 64}, default=False),
)
