"""Boards with an ECP5."""

from ..device import ECP5_25F, ECP5_85F, ECP5_UM5G_45F, ECP5_UM5G_85F, ECP5_UM_45F
from ..programmer import FT231X, FT232H, FT2232H, FT4232H, dfu_util, openfpgaloader
from .recipe import Recipe, Uart

SSA = {"tokens": 64, "head_dim": 64, "steps": 10}
SSA_16 = SSA | {"cells": 16, "bits": 16}
SSA_64 = SSA | {"cells": 64, "bits": 64}
A2OS2A = {"tokens": 64, "head_dim": 64, "order": "kv"}
SPIKED = {"tokens": 16, "head_dim": 16, "steps": 40, "lanes": 4}

ECP5_RECIPES = (
    Recipe(
        id="ulx3s-25f",
        title="Radiona ULX3S 25F",
        platform="amaranth_boards.ulx3s:ULX3S_25F_Platform",
        device=ECP5_25F,
        package=("--package", "CABGA381", "--speed", "6"),
        clock="clk25",
        oscillator=25_000_000,
        frequency=60_000_000,
        leds=(("led", 0), ("led", 1)),
        uart=Uart("USB socket US1: the FTDI chip"),
        programmers=(openfpgaloader("-b", "ulx3s", usb=FT231X),),
        presets={"ssa": SSA_16},
        pack=("--compress",),
    ),
    Recipe(
        id="ulx3s-85f",
        title="Radiona ULX3S 85F",
        platform="amaranth_boards.ulx3s:ULX3S_85F_Platform",
        device=ECP5_85F,
        package=("--package", "CABGA381", "--speed", "6"),
        clock="clk25",
        oscillator=25_000_000,
        frequency=75_000_000,
        leds=(("led", 0), ("led", 1)),
        uart=Uart("USB socket US1: the FTDI chip"),
        programmers=(openfpgaloader("-b", "ulx3s", usb=FT231X),),
        presets={
            "ssa": SSA_64,
            "a2os2a": A2OS2A | {"lanes": 64},
            "spiked": {"tokens": 49, "head_dim": 32, "steps": 40, "lanes": 8},
        },
        slower={"spiked": 60_000_000},
        pack=("--compress",),
    ),
    Recipe(
        id="orangecrab-r0.2",
        title="OrangeCrab r0.2 (25F)",
        platform="amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
        device=ECP5_25F,
        package=("--package", "CSFBGA285", "--speed", "8"),
        clock="clk",
        oscillator=48_000_000,
        frequency=72_000_000,
        leds=(("rgb_led", 0, "g"), ("rgb_led", 0, "r")),
        uart=Uart(
            "USB-serial adapter, 3.3 V: its RX to pin 1, its TX to pin 0", rx="N17", tx="M18"
        ),
        programmers=(dfu_util((0x1209, 0x5AF0)),),
        presets={"ssa": SSA_16},
        pack=("--compress", "--freq", "38.8"),
        notes="Hold the button while plugging in: that starts the bootloader.",
    ),
    Recipe(
        id="ecpix5-45f",
        title="LambdaConcept ECPIX-5 45F",
        platform="amaranth_boards.ecpix5:ECPIX545Platform",
        device=ECP5_UM5G_45F,
        package=("--package", "CABGA554", "--speed", "8"),
        clock="clk100",
        oscillator=100_000_000,
        frequency=75_000_000,
        leds=(("rgb_led", 0, "g"), ("rgb_led", 0, "r")),
        uart=Uart("the micro-USB socket: second port of the FTDI chip"),
        programmers=(
            openfpgaloader("-b", "ecpix5", usb=FT2232H),
            openfpgaloader("-b", "ecpix5_r03", usb=FT4232H),
        ),
        presets={"ssa": SSA_16},
    ),
    Recipe(
        id="ecpix5-85f",
        title="LambdaConcept ECPIX-5 85F",
        platform="amaranth_boards.ecpix5:ECPIX585Platform",
        device=ECP5_UM5G_85F,
        package=("--package", "CABGA554", "--speed", "8"),
        clock="clk100",
        oscillator=100_000_000,
        frequency=75_000_000,
        leds=(("rgb_led", 0, "g"), ("rgb_led", 0, "r")),
        uart=Uart("the micro-USB socket: second port of the FTDI chip"),
        programmers=(
            openfpgaloader("-b", "ecpix5", usb=FT2232H),
            openfpgaloader("-b", "ecpix5_r03", usb=FT4232H),
        ),
        presets={"ssa": SSA | {"cells": 64, "bits": 16}},
    ),
    Recipe(
        id="colorlight-5a75b",
        title="Colorlight 5A-75B v7.0",
        platform="amaranth_boards.colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
        device=ECP5_25F,
        package=("--package", "CABGA256", "--speed", "6"),
        clock="clk25",
        oscillator=25_000_000,
        frequency=60_000_000,
        leds=(("led", 0),),
        uart=Uart(
            "USB-serial adapter, 3.3 V, on J19: its RX to DATA_LED-, its TX to KEY+", on_light=True
        ),
        programmers=(openfpgaloader("-b", "colorlight", "-c", "ft232", usb=FT232H),),
        presets={"ssa": SSA_16},
        pack=("--compress",),
        notes="Wants a JTAG adapter with an FT232H, soldered to the board's JTAG pads. "
        "The light and the serial port share a pin.",
    ),
    Recipe(
        id="butterstick",
        title="ButterStick r1.0 (85F)",
        platform="amaranth_boards.butterstick:ButterStickPlatform",
        device=ECP5_UM5G_85F,
        package=("--package", "CABGA381", "--speed", "8"),
        clock="clk30",
        oscillator=30_000_000,
        frequency=75_000_000,
        leds=(("rgb_leds_muxed", 0, "g"), ("rgb_leds_muxed", 0, "r")),
        tied={"C13": 1},  # the first of the lights, whose colours the rows choose
        uart=Uart(
            "USB-serial adapter, 3.3 V, on a microSD breakout: its RX to DAT0, its TX to CMD",
            rx="A13",
            tx="C12",
        ),
        programmers=(dfu_util((0x1209, 0x5AF1)),),
        presets={"ssa": SSA_64},
        pack=("--compress",),
        notes="The SYZYGY ports have no supply until a bitstream sets one up: hence the serial "
        "port in the microSD socket. Hold a button while plugging in: that starts the bootloader.",
    ),
    Recipe(
        id="icepi-zero",
        title="IcePi Zero v1.3",
        platform="amaranth_boards.icepi_zero:IcepiZero1_3Platform",
        device=ECP5_25F,
        package=("--package", "CABGA256", "--speed", "6"),
        clock="clk50",
        oscillator=50_000_000,
        frequency=60_000_000,
        leds=(("led", 0), ("led", 1)),
        uart=Uart("the USB socket of the FTDI chip"),
        programmers=(openfpgaloader("-b", "icepi-zero", usb=FT231X),),
        presets={"ssa": SSA_16},
        pack=("--compress",),
    ),
    Recipe(
        id="versa-ecp5",
        title="Lattice ECP5 Versa (LFE5UM-45F)",
        platform="amaranth_boards.versa_ecp5:VersaECP5Platform",
        device=ECP5_UM_45F,
        package=("--package", "CABGA381", "--speed", "8"),
        clock="clk100",
        oscillator=100_000_000,
        frequency=75_000_000,
        leds=(("led", 0), ("led", 1)),
        uart=Uart("the USB socket: second port of the FTDI chip"),
        programmers=(openfpgaloader("-b", "ecp5_generic", "-c", "ft2232", usb=FT2232H),),
        presets={"ssa": SSA_16},
        notes="The jumpers must leave the ECP5 alone in the JTAG chain, without the ispCLOCK.",
    ),
)
