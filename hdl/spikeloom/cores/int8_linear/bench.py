"""Rows of the bench of `int8_linear`, by lanes; a layer of 49 tokens with 64 inputs and outputs.

On the LFE5U-25F 22 lanes have a DSP block each; of 64 lanes, all but 6 are made of LUTs, which
leaves 22 blocks for `int8_softmax` with 11 lanes.
"""

from ...contract import BenchRow

LAYER = {"tokens": 49, "input_dim": 64}

ROWS = (
    BenchRow("dsp", "16", "up5k", LAYER | {"lanes": 16}, default=False),
    BenchRow("dsp", "22", "ecp5-25f", LAYER | {"lanes": 22}, default=False),
    BenchRow("dsp", "64", "ecp5-25f", LAYER | {"lanes": 64, "logic_lanes": 58}, default=False),
)
