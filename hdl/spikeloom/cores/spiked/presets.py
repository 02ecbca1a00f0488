"""Settings and core clocks of `spiked` for classes of devices."""

from ...contract import Preset

SMALL = {"tokens": 16, "head_dim": 16, "steps": 40, "lanes": 2}

PRESETS = {
    "ice40-5k": Preset(SMALL, 30_000_000),
    "ice40-8k": Preset(SMALL, 60_000_000),
    "ice40-lp8k": Preset(SMALL, 48_000_000),
    "ecp5": Preset({"tokens": 49, "head_dim": 32, "steps": 40, "lanes": 7, "events": 2}),
    "gowin-9k": Preset(SMALL),
    "gowin-20k": Preset({"tokens": 49, "head_dim": 32, "steps": 40, "lanes": 7}),
    "gatemate": Preset({"tokens": 49, "head_dim": 32, "steps": 40, "lanes": 7}),
}
