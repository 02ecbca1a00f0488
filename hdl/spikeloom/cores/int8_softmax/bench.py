"""Rows of the bench of `int8_softmax`, by lanes, each of two DSP blocks, or one and a half on UP5K;
N = D = 64, or N = 49 and D = 32 where the name says so."""

from ...contract import BenchRow

LARGE = {"tokens": 64, "head_dim": 64}
SMALL = {"tokens": 49, "head_dim": 32}

ROWS = (
    BenchRow("dsp", "4", "up5k", LARGE | {"lanes": 4}, default=False),
    BenchRow("dsp", "4-n49", "up5k", SMALL | {"lanes": 4}, default=False),
    BenchRow("dsp", "13", "ecp5-25f", LARGE | {"lanes": 13}, default=False),
    BenchRow("dsp", "11-n49", "ecp5-25f", SMALL | {"lanes": 11}, default=False),
)
