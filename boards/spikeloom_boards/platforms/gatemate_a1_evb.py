"""Olimex GateMateA1-EVB."""

# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

from amaranth.build import Attrs, Clock, Pins, PinsN, Resource
from amaranth_boards.resources import LEDResources, UARTResource

from .gatemate import GateMatePlatform


class GateMateA1EvbPlatform(GateMatePlatform):
    """Pins of Olimex' schematic: 10 MHz oscillator, a light, a button, the UART of the RP2040,
    which is the programmer. The schematic names the UART from the RP2040's side."""

    device = "CCGM1A1"
    default_clk = "clk10"
    resources = [
        Resource(
            *("clk10", 0, Pins("IO_SB_A8", dir="i")), Clock(10e6), Attrs(SCHMITT_TRIGGER="true")
        ),
        *LEDResources(pins="IO_SB_B6", invert=True),
        Resource("button", 0, PinsN("IO_SB_B7", dir="i")),
        UARTResource(0, rx="IO_SA_A6", tx="IO_SA_B6", attrs=Attrs(PULLUP="true")),
    ]
    connectors = []
