"""What a recipe says about a board."""

from dataclasses import dataclass, field
from importlib import import_module

from spikeloom.errors import InputError

from ..device import Device


@dataclass(frozen=True)
class Uart:
    """The serial port to the host; `note` says what to plug in where.

    ``rx`` and ``tx`` are the FPGA's pins where amaranth-boards names no UART of the board.
    """

    note: str
    rx: str = ""
    tx: str = ""


@dataclass(frozen=True)
class Recipe:
    """One board.

    ``platform`` is "module:class" of its amaranth-boards definition; ``clock`` and ``oscillator``
    (Hz) its clock input; ``frequency`` (Hz) the clock that cores run at, made by the PLL where it
    differs. ``leds`` are the (resource, number) of the pass and fail lights; ``uart`` is the serial
    port, which every platform has as resource ("serial", 0) of rx and tx alone. ``package`` and
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
    uart: Uart
    presets: dict = field(default_factory=dict)
    pack: tuple = ()
    slower: dict = field(default_factory=dict)

    def make_platform(self):
        """A fresh amaranth-boards platform object, with resource ("serial", 0) added."""
        module, name = self.platform.split(":")
        platform = getattr(import_module(module), name)()
        platform.add_resources([self._serial(platform)])
        return platform

    def frequency_of(self, core):
        """Hz that `core` runs at on this board."""
        return self.slower.get(core, self.frequency)

    def preset(self, core):
        """Settings of `core` that fit this board. Raises `InputError` if there are none."""
        if core not in self.presets:
            raise InputError(f"{self.id} has no preset of {core}; give its keys with --set")
        return self.presets[core]

    def _serial(self, platform):
        """The two lines of the serial port, without those for flow control."""
        from amaranth.build import Attrs, Pins, Resource, Subsignal

        if not self.uart.rx:
            uart = platform.resources["uart", 0]
            lines = [line for line in uart.ios if line.name in ("rx", "tx")]
            return Resource("serial", 0, *lines, uart.attrs)
        standard = {"ice40": {"IO_STANDARD": "SB_LVCMOS"}, "ecp5": {"IO_TYPE": "LVCMOS33"}}
        return Resource(
            *("serial", 0),
            Subsignal("rx", Pins(self.uart.rx, dir="i")),
            Subsignal("tx", Pins(self.uart.tx, dir="o")),
            Attrs(**standard[self.device.family]),
        )
