"""Settings and core clocks of `int8_linear` for classes of devices with DSP blocks."""

from ...contract import Preset

LAYER = {"tokens": 49, "input_dim": 64}

PRESETS = {
    # Two banks of weights and the host link need one block RAM more than there are.
    "ice40-5k": Preset(LAYER | {"lanes": 16, "weight_banks": 1}, 24_000_000),
    "ecp5": Preset(LAYER | {"lanes": 22}),
}
