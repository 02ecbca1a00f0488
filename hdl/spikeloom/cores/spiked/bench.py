"""Rows of the bench of `spiked`, by lanes, and by lanes x events."""

from ...contract import BenchRow, Trained

SHAPE = {"tokens": 49, "head_dim": 32, "steps": 40}

IN_NETWORKS = Trained(
    {"q": 0.97, "k": 0.97, "v": 0.97},
    "trained SpikedAttention networks, where 95 to 99 % of the neurons of Q, K and V spike",
)

ROWS = (
    BenchRow("trace", "1", "ecp5-25f", SHAPE | {"lanes": 1}),
    BenchRow("trace", "7", "ecp5-25f", SHAPE | {"lanes": 7}, default=False),
    BenchRow("trace", "7x2", "ecp5-25f", SHAPE | {"lanes": 7, "events": 2}),
    BenchRow("trace", "7", "gw2ar-18c", SHAPE | {"lanes": 7}, default=False),
    BenchRow("trace", "7", "ccgm1a1", SHAPE | {"lanes": 7}, default=False),
    BenchRow("trace", "8", "ecp5-25f", SHAPE | {"lanes": 8}),
    BenchRow("trace", "49", "ecp5-85f", SHAPE | {"lanes": 49}),
    BenchRow(
        "trace",
        "25x2",
        "ecp5-85f",
        SHAPE | {"lanes": 25, "events": 2, "encoders": 5},
        default=False,
    ),
    BenchRow(
        "trace",
        "49x2",
        "ecp5-85f",
        SHAPE | {"lanes": 49, "events": 2, "encoders": 4},
        default=False,
    ),
)
