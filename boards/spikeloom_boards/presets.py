"""Presets: settings and clock of each core for a class of devices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from spikeloom.contract import Core, Preset
from spikeloom.cores import all_cores, find_core
from spikeloom.errors import InputError
from spikeloom.families import Part

from .boards import Board


def presets_of(board: Board) -> dict[str, Preset]:
    """The presets that fit a board's class of devices, by core."""
    kind = board.device.presets
    return {name: core.PRESETS[kind] for name, core in all_cores().items() if kind in core.PRESETS}


def preset_config(
    core: str, board: Board | Part, settings: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()
) -> Core:
    """Configuration of `core` for a board or a bare device: its preset overridden by `settings`, or
    only `settings` if there is no preset.

    Raises `InputError` if there is neither.
    """
    settings = dict(settings)
    config = find_core(core)
    chosen = config.PRESETS.get(board.device.presets)
    if chosen is None:
        if not settings:
            raise InputError(f"{board.id} has no preset of {core}; give its keys with --set")
        return config.from_settings(settings)
    preset = chosen.settings
    before = config.from_settings(preset)
    changed = {
        name
        for name, key in config.keys().items()
        if name in settings and config.parse(key, settings[name]) != getattr(before, key.name)
    }
    for decisive, dependent in PRESET_KEYS:
        if changed & decisive:
            preset = {key: value for key, value in preset.items() if key not in dependent}
    try:
        return config.from_settings(preset | settings)
    except InputError as error:
        # The message may name a key that the user did not give.
        named = [
            f"{key} = {value}"
            for key, value in preset.items()
            if key not in settings and re.search(rf"\b{key}\b", str(error))
        ]
        if not named:
            raise
        sets = ", ".join(named)
        raise InputError(f"{error} (the preset for {board.id} sets {sets})") from None


def core_clock(core: str, board: Board) -> int:
    """Clock of `core` on a board in Hz: from its preset, else the board's default."""
    preset = find_core(core).PRESETS.get(board.device.presets)
    return preset.hz if preset and preset.hz else board.frequency


# If a setting changes one of the first keys, the preset's values of the second keys no longer
# apply, and the core's defaults are used.
PRESET_KEYS = (
    (
        {"tokens", "head_dim", "value_dim", "engine"},
        {"cells", "bits", "lanes", "steps_at_once", "encoders"},
    ),
    ({"engine"}, {"random"}),
    ({"engine", "inputs"}, {"feed"}),
)
