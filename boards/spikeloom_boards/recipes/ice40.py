"""Boards with an iCE40."""

from ..device import HX1K, HX8K, LP8K, UP5K
from ..programmer import FT232H, ICE40_FLASH, Programmer
from .recipe import Recipe, Uart

SSA_1K = {"tokens": 8, "head_dim": 8, "steps": 10, "cells": 1, "bits": 1, "random": "own"}
# The host hands out K and V in diagonals: the corner turn is a third of the core.
SSA_5K = {"tokens": 64, "head_dim": 64, "steps": 10, "engine": "sampled", "random": "own"}
SSA_5K["feed"] = "diagonals"
PRESETS_5K = {
    "ssa": SSA_5K,
    "a2os2a": {"tokens": 64, "head_dim": 64, "lanes": 8, "order": "kv"},
    "a2os2a_block": {"tokens": 16, "head_dim": 32, "lanes": 4, "steps": 4},
    "spiked": {"tokens": 16, "head_dim": 16, "steps": 40, "lanes": 2},
}

ICE40_RECIPES = (
    Recipe(
        id="icebreaker",
        title="1BitSquared iCEBreaker",
        platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
        device=UP5K,
        package=("--package", "sg48"),
        clock="clk12",
        oscillator=12_000_000,
        pll_pad=True,
        frequency=48_000_000,
        leds=(("led_g", 0), ("led_r", 0)),
        uart=Uart("the USB socket: second port of the FTDI chip"),
        programmers=ICE40_FLASH,
        presets=PRESETS_5K,
        slower={"a2os2a": 30_000_000, "a2os2a_block": 30_000_000, "spiked": 30_000_000},
    ),
    Recipe(
        id="icestick",
        title="Lattice iCEstick",
        platform="amaranth_boards.icestick:ICEStickPlatform",
        device=HX1K,
        package=("--package", "tq144"),
        clock="clk12",
        oscillator=12_000_000,
        frequency=72_000_000,
        leds=(("led", 4), ("led", 0)),
        uart=Uart("the USB plug: second port of the FTDI chip"),
        programmers=ICE40_FLASH,
        presets={"ssa": SSA_1K},
        top="self-test",
        notes="Too small for the host link: bitstreams hold the self-test. "
        "The green light D5 is the pass light, the red D1 the fail light.",
    ),
    Recipe(
        id="hx8k-breakout",
        title="Lattice HX8K breakout",
        platform="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
        device=HX8K,
        package=("--package", "ct256"),
        clock="clk12",
        oscillator=12_000_000,
        frequency=108_000_000,
        leds=(("led", 0), ("led", 1)),
        uart=Uart("the USB socket: second port of the FTDI chip"),
        programmers=ICE40_FLASH,
        presets=PRESETS_5K,
        slower={"a2os2a": 60_000_000, "a2os2a_block": 60_000_000, "spiked": 60_000_000},
        before_flash="The board's jumpers must be set for programming the flash.",
    ),
    Recipe(
        id="icesugar",
        title="MuseLab iCESugar v1.5",
        platform="amaranth_boards.icesugar:ICESugarPlatform",
        device=UP5K,
        package=("--package", "sg48"),
        clock="clk12",
        oscillator=12_000_000,
        pll_pad=True,
        frequency=48_000_000,
        leds=(("led_g", 0), ("led_r", 0)),
        uart=Uart("the USB socket: serial port of the iCELink"),
        programmers=(Programmer("icesprog", (), (0x1D50, 0x602B), "flash", node="hidraw"),),
        presets=PRESETS_5K,
        slower={"a2os2a": 30_000_000, "a2os2a_block": 30_000_000, "spiked": 30_000_000},
    ),
    Recipe(
        id="upduino-v3",
        title="tinyVision UPduino v3",
        platform="amaranth_boards.upduino_v3:UpduinoV3Platform",
        device=UP5K,
        package=("--package", "sg48"),
        clock="clk12",
        oscillator=12_000_000,
        frequency=48_000_000,
        leds=(("rgb_led", 0, "g"), ("rgb_led", 0, "r")),
        uart=Uart("the USB socket: the FTDI chip, over the pins of the flash", rx="15", tx="14"),
        tied={"16": 1},  # the flash stays off the lines of the serial port
        programmers=(Programmer("iceprog", (), FT232H, "flash"),),
        presets=PRESETS_5K,
        slower={"a2os2a": 30_000_000, "a2os2a_block": 30_000_000, "spiked": 30_000_000},
        notes="Short the OSC jumper: the 12 MHz oscillator comes in on pin 20. "
        "The oscillator inside the FPGA is too inexact for a serial port.",
    ),
    Recipe(
        id="tinyfpga-bx",
        title="TinyFPGA BX",
        platform="amaranth_boards.tinyfpga_bx:TinyFPGABXPlatform",
        device=LP8K,
        package=("--package", "cm81"),
        clock="clk16",
        oscillator=16_000_000,
        frequency=60_000_000,
        leds=(("led", 0),),
        uart=Uart("USB-serial adapter, 3.3 V: its RX to pin 1, its TX to pin 2", rx="A1", tx="A2"),
        programmers=(Programmer("tinyprog", ("-p",), (0x1D50, 0x6130), "flash", node="tty"),),
        presets=PRESETS_5K,
        slower={"a2os2a": 48_000_000, "a2os2a_block": 48_000_000, "spiked": 48_000_000},
        before_flash="Press the reset button: that starts the bootloader.",
    ),
)
