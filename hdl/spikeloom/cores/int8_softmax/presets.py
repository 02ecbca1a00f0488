"""Settings and core clocks of `int8_softmax` for classes of devices with DSP blocks."""

from ...contract import Preset

SHAPE = {"tokens": 64, "head_dim": 64}

PRESETS = {
    "ice40-5k": Preset(SHAPE | {"lanes": 4}, 24_000_000),
    "ecp5": Preset(SHAPE | {"lanes": 13}),
}
