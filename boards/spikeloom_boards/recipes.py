"""Board recipes: small data about each board, and a preset of each core that fits it."""

from dataclasses import dataclass, field
from importlib import import_module

from spikeloom.catalog import CORES
from spikeloom.errors import InputError

from .device import ECP5_85F, UP5K, Device


@dataclass(frozen=True)
class Recipe:
    """One board.

    ``platform`` is "module:class" of its amaranth-boards definition; ``clock`` and ``oscillator``
    (Hz) its clock input; ``frequency`` (Hz) the clock that cores run at, made by the PLL where it
    differs. ``leds`` are the (resource, number) of the pass and fail lights. ``package`` and
    ``pack`` are nextpnr's and the packer's options. ``presets`` are settings by core, and
    ``slower`` the Hz of cores that do not reach ``frequency``.
    """

    id: str
    title: str
    platform: str
    device: Device
    package: tuple
    clock: str
    oscillator: int
    frequency: int
    leds: tuple
    presets: dict = field(default_factory=dict)
    pack: tuple = ()
    slower: dict = field(default_factory=dict)

    def make_platform(self):
        """A fresh amaranth-boards platform object."""
        module, name = self.platform.split(":")
        return getattr(import_module(module), name)()

    def frequency_of(self, core):
        """Hz that `core` runs at on this board."""
        return self.slower.get(core, self.frequency)

    def preset(self, core):
        """Settings of `core` that fit this board. Raises `InputError` if there are none."""
        if core not in self.presets:
            raise InputError(f"{self.id} has no preset of {core}; give its keys with --set")
        return self.presets[core]


BOARDS = {
    recipe.id: recipe
    for recipe in (
        Recipe(
            id="icebreaker",
            title="1BitSquared iCEBreaker (iCE40UP5K)",
            platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
            device=UP5K,
            package=("--package", "sg48"),
            clock="clk12",
            oscillator=12_000_000,
            frequency=36_000_000,
            leds=(("led_g", 0), ("led_r", 0)),
            presets={
                "ssa": {"tokens": 64, "head_dim": 64, "steps": 10, "cells": 16, "bits": 8},
                "a2os2a": {"tokens": 64, "head_dim": 64, "lanes": 8, "order": "kv"},
                "a2os2a_block": {"tokens": 16, "head_dim": 32, "lanes": 4, "steps": 4},
                "spiked": {"tokens": 16, "head_dim": 16, "steps": 40, "lanes": 2},
            },
            slower=dict.fromkeys(("a2os2a", "a2os2a_block", "spiked"), 30_000_000),
        ),
        Recipe(
            id="ulx3s-85f",
            title="Radiona ULX3S (LFE5U-85F)",
            platform="amaranth_boards.ulx3s:ULX3S_85F_Platform",
            device=ECP5_85F,
            package=("--package", "CABGA381", "--speed", "6"),
            clock="clk25",
            oscillator=25_000_000,
            frequency=75_000_000,
            leds=(("led", 0), ("led", 1)),
            presets={
                "ssa": {"tokens": 64, "head_dim": 64, "steps": 10, "cells": 64, "bits": 64},
                "a2os2a": {"tokens": 64, "head_dim": 64, "lanes": 64, "order": "kv"},
                "a2os2a_block": {"tokens": 64, "head_dim": 64, "lanes": 16, "steps": 4},
                "spiked": {"tokens": 49, "head_dim": 32, "steps": 40, "lanes": 8},
            },
            slower={"spiked": 60_000_000},
            pack=("--compress",),
        ),
    )
}


def find_board(name):
    """The recipe called `name`. Raises `InputError` listing the boards there are."""
    if name not in BOARDS:
        raise InputError(f"unknown board {name!r}; boards: " + ", ".join(BOARDS))
    return BOARDS[name]


def preset_config(core, recipe, settings=()):
    """Configuration of `core` for a board: its preset, with `settings` on top."""
    settings = dict(settings)
    preset = recipe.preset(core)
    # A new shape makes the preset's unroll meaningless: let the core choose again.
    shape = {"tokens", "head_dim", "value_dim"}
    unroll = {"cells", "bits", "lanes", "encoders"}
    if any(key in settings and str(settings[key]) != str(preset.get(key)) for key in shape):
        preset = {key: value for key, value in preset.items() if key not in unroll}
    return CORES[core].config.from_settings(preset | settings)
