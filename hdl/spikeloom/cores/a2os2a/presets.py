"""Settings and core clocks of `a2os2a` for classes of devices."""

from ...contract import Preset

SHAPE = {"tokens": 64, "head_dim": 64, "order": "kv"}

PRESETS = {
    "ice40-5k": Preset(SHAPE | {"lanes": 8}, 30_000_000),
    "ice40-8k": Preset(SHAPE | {"lanes": 8}, 60_000_000),
    "ice40-lp8k": Preset(SHAPE | {"lanes": 8}, 48_000_000),
    "ecp5": Preset(SHAPE | {"lanes": 64}),
    "gowin-9k": Preset(SHAPE | {"lanes": 8}),
    "gowin-20k": Preset(SHAPE | {"lanes": 32}),
    "gatemate": Preset(SHAPE | {"lanes": 32}),
}
