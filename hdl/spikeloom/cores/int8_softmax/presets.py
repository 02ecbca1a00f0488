"""Settings and core clocks of `int8_softmax` for classes of devices with DSP blocks."""

from ...contract import Preset

PRESETS = {
    "ice40-5k": Preset({"tokens": 49, "head_dim": 32, "lanes": 4}, 24_000_000),
    "ecp5": Preset({"tokens": 64, "head_dim": 64, "lanes": 13}),
}
