"""Boards with an iCE40."""

from ..device import UP5K
from .recipe import Recipe, Uart

ICE40_RECIPES = (
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
        uart=Uart("the USB socket, second port of the FTDI chip"),
        presets={
            "ssa": {"tokens": 64, "head_dim": 64, "steps": 10, "cells": 16, "bits": 8},
            "a2os2a": {"tokens": 64, "head_dim": 64, "lanes": 8, "order": "kv"},
            "spiked": {"tokens": 16, "head_dim": 16, "steps": 40, "lanes": 2},
        },
        slower={"a2os2a": 30_000_000, "spiked": 30_000_000},
    ),
)
