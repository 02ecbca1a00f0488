"""Presets: settings and clock of each core that fit a device class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from spikeloom.catalog import CORES
from spikeloom.config import CoreConfig
from spikeloom.errors import InputError

from .boards import Board


@dataclass(frozen=True)
class Preset:
    """`settings` of a core, and the `hz` it runs at where it does not reach the board's clock."""

    settings: dict[str, Any]
    hz: int | None = None


SSA_1K = {"tokens": 8, "head_dim": 8, "steps": 10, "cells": 1, "bits": 1, "random": "own"}
SSA = {"tokens": 64, "head_dim": 64, "steps": 10, "engine": "sampled", "random": "own"}
# The host hands out K and V in diagonals: the corner turn is a third of the core.
SSA_DIAGONALS = SSA | {"feed": "diagonals"}

A2OS2A_8 = {"tokens": 64, "head_dim": 64, "lanes": 8, "order": "kv"}
A2OS2A_64 = {"tokens": 64, "head_dim": 64, "lanes": 64, "order": "kv"}

BLOCK_4 = {"tokens": 16, "head_dim": 32, "lanes": 4, "steps": 4}
BLOCK_16 = {"tokens": 64, "head_dim": 64, "lanes": 16, "steps": 4}

SPIKED_2 = {"tokens": 16, "head_dim": 16, "steps": 40, "lanes": 2}
SPIKED_8 = {"tokens": 49, "head_dim": 32, "steps": 40, "lanes": 8}

PRESETS: dict[str, dict[str, Preset]] = {
    "ssa": {
        "ice40-1k": Preset(SSA_1K),
        "ice40-5k": Preset(SSA_DIAGONALS),
        "ice40-8k": Preset(SSA_DIAGONALS),
        "ice40-lp8k": Preset(SSA_DIAGONALS),
        "ecp5": Preset(SSA),
    },
    "a2os2a": {
        "ice40-5k": Preset(A2OS2A_8, 30_000_000),
        "ice40-8k": Preset(A2OS2A_8, 60_000_000),
        "ice40-lp8k": Preset(A2OS2A_8, 48_000_000),
        "ecp5": Preset(A2OS2A_64),
    },
    "a2os2a_block": {
        "ice40-5k": Preset(BLOCK_4, 30_000_000),
        "ice40-8k": Preset(BLOCK_4, 60_000_000),
        "ice40-lp8k": Preset(BLOCK_4, 48_000_000),
        "ecp5": Preset(BLOCK_16),
    },
    "spiked": {
        "ice40-5k": Preset(SPIKED_2, 30_000_000),
        "ice40-8k": Preset(SPIKED_2, 60_000_000),
        "ice40-lp8k": Preset(SPIKED_2, 48_000_000),
        "ecp5": Preset(SPIKED_8),
    },
}
"""Presets by core and device class (`spikeloom.families.Device.presets`)."""


def presets_of(board: Board) -> dict[str, Preset]:
    """The presets that fit a board, by core."""
    kind = board.device.presets
    return {core: known[kind] for core, known in PRESETS.items() if kind in known}


def preset_config(
    core: str, board: Board, settings: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()
) -> CoreConfig:
    """Configuration of `core` for a board: its preset, with `settings` on top.

    Raises `InputError` where there is no preset.
    """
    settings = dict(settings)
    presets = presets_of(board)
    if core not in presets:
        raise InputError(f"{board.id} has no preset of {core}; give its keys with --set")
    preset = presets[core].settings
    config = CORES[core].config
    before = {key.name: preset.get(key.name, key.default) for key in fields(config)}
    changed = {key for key in settings.keys() & before if str(settings[key]) != str(before[key])}
    for decisive, dependent in CHOSEN_FOR:
        if changed & decisive:
            preset = {key: value for key, value in preset.items() if key not in dependent}
    return config.from_settings(preset | settings)


def core_clock(core: str, board: Board) -> int:
    """Hz that `core` runs at on a board: its preset's, or else the board's."""
    preset = presets_of(board).get(core)
    return preset.hz if preset and preset.hz else board.frequency


# What a preset chooses for one shape, engine or kind of input means nothing for another: there the
# core chooses again.
CHOSEN_FOR = (
    (
        {"tokens", "head_dim", "value_dim", "engine"},
        {"cells", "bits", "lanes", "steps_at_once", "encoders"},
    ),
    ({"engine"}, {"random"}),
    ({"engine", "inputs"}, {"feed"}),
)
