"""Boards with an ECP5."""

from ..device import ECP5_85F
from .recipe import Recipe, Uart

ECP5_RECIPES = (
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
        uart=Uart("USB socket US1, the FTDI chip"),
        presets={
            "ssa": {"tokens": 64, "head_dim": 64, "steps": 10, "cells": 64, "bits": 64},
            "a2os2a": {"tokens": 64, "head_dim": 64, "lanes": 64, "order": "kv"},
            "spiked": {"tokens": 49, "head_dim": 32, "steps": 40, "lanes": 8},
        },
        slower={"spiked": 60_000_000},
        pack=("--compress",),
    ),
)
