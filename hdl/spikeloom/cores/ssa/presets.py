"""Settings and core clocks of `ssa` for classes of devices."""

from ...contract import Preset

SMALLEST = {"tokens": 8, "head_dim": 8, "steps": 10, "cells": 1, "bits": 1, "random": "own"}
SAMPLED = {"tokens": 64, "head_dim": 64, "steps": 10, "engine": "sampled", "random": "own"}
# The host sends K and V in diagonal order, because the corner turn is a third of the core.
DIAGONALS = SAMPLED | {"feed": "diagonals"}

PRESETS = {
    "ice40-1k": Preset(SMALLEST),
    "ice40-5k": Preset(DIAGONALS),
    "ice40-8k": Preset(DIAGONALS),
    "ice40-lp8k": Preset(DIAGONALS),
    "ecp5": Preset(SAMPLED),
    "gowin-9k": Preset(DIAGONALS),
    "gowin-20k": Preset(SAMPLED),
    "gatemate": Preset(SAMPLED),
}
