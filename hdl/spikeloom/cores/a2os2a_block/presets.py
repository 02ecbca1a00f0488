"""Settings and core clocks of `a2os2a_block` for classes of devices."""

from ...contract import Preset

SMALL = {"tokens": 16, "head_dim": 32, "lanes": 4, "steps": 4}

PRESETS = {
    "ice40-5k": Preset(SMALL, 30_000_000),
    "ice40-8k": Preset(SMALL, 60_000_000),
    "ice40-lp8k": Preset(SMALL, 48_000_000),
    "ecp5": Preset({"tokens": 64, "head_dim": 64, "lanes": 16, "steps": 4, "order": "qk"}),
    "gowin-9k": Preset(SMALL),
    "gowin-20k": Preset({"tokens": 64, "head_dim": 64, "lanes": 16, "steps": 4, "order": "qk"}),
    "gatemate": Preset({"tokens": 64, "head_dim": 64, "lanes": 16, "steps": 4, "order": "qk"}),
}
