"""What a recipe says about a board."""

from dataclasses import dataclass, field
from importlib import import_module

from spikeloom.errors import InputError

from ..device import FPGA

STANDARDS = {"ice40": {"IO_STANDARD": "SB_LVCMOS"}, "ecp5": {"IO_TYPE": "LVCMOS33"}}
PULL_UPS = {"ice40": {"PULLUP": 1}, "ecp5": {"PULLMODE": "UP"}}  # an open line is an idle line


@dataclass(frozen=True)
class Uart:
    """The serial port to the host; `note` says what to plug in where.

    ``rx`` and ``tx`` are the FPGA's pins where amaranth-boards names no UART of the board.
    ``on_light``: it takes the pin of the board's light, so that a bitstream has the one or the
    other.
    """

    note: str
    rx: str = ""
    tx: str = ""
    on_light: bool = False


@dataclass(frozen=True)
class Recipe:
    """One board.

    ``platform`` is "module:class" of its amaranth-boards definition; ``clock`` and ``oscillator``
    (Hz) its clock input; ``frequency`` (Hz) the clock that cores run at, made by the PLL where it
    differs; ``pll_pad`` where the clock comes in on the pad of an iCE40's PLL.

    ``leds`` are the pass and fail lights as (resource, number) or (resource, number, part), as many
    of the two as there are, and ``tied`` the pins that must be held at a level, with the level.
    ``uart`` is the serial port. The platform has them all as resources ("light", n), ("tied", n)
    and ("serial", 0), the latter of rx and tx alone.

    ``package`` and ``pack`` are nextpnr's and the packer's options. ``presets`` are settings by
    core, ``slower`` the Hz of cores that do not reach ``frequency``, ``top`` what there is room for
    around them. ``programmers`` come in order
    of preference, ``before_flash`` says what they want of the board's owner, ``notes`` what else
    there is to know.
    """

    id: str
    title: str
    platform: str
    device: FPGA
    package: tuple
    clock: str
    oscillator: int
    frequency: int
    leds: tuple
    uart: Uart
    programmers: tuple
    presets: dict = field(default_factory=dict)
    slower: dict = field(default_factory=dict)
    top: str = "link"
    pack: tuple = ()
    pll_pad: bool = False
    tied: dict = field(default_factory=dict)
    before_flash: str = ""
    notes: str = ""

    def make_platform(self):
        """A fresh amaranth-boards platform object with the resources named above added."""
        module, name = self.platform.split(":")
        platform = getattr(import_module(module), name)()
        platform.add_resources([*self._lights(platform), *self._tied(), self._serial(platform)])
        return platform

    def frequency_of(self, core):
        """Hz that `core` runs at on this board."""
        return self.slower.get(core, self.frequency)

    def preset(self, core):
        """Settings of `core` that fit this board. Raises `InputError` if there are none."""
        if core not in self.presets:
            raise InputError(f"{self.id} has no preset of {core}; give its keys with --set")
        return self.presets[core]

    def _lights(self, platform):
        from amaranth.build import Attrs, Resource, Subsignal

        for n, (name, number, *part) in enumerate(self.leds):
            led = platform.resources[name, number]
            ios = led.ios
            if part:
                (line,) = (io for io in ios if isinstance(io, Subsignal) and io.name == part[0])
                ios = line.ios
            ios = [io for io in ios if not isinstance(io, Attrs)]
            yield Resource("light", n, *ios, led.attrs)

    def _tied(self):
        from amaranth.build import Attrs, Pins, Resource

        for n, pin in enumerate(self.tied):
            attributes = Attrs(**STANDARDS[self.device.family])
            yield Resource("tied", n, Pins(pin, dir="o"), attributes)

    def _serial(self, platform):
        """The two lines of the serial port, without those for flow control."""
        from amaranth.build import Attrs, Pins, Resource, Subsignal

        if not self.uart.rx:
            uart = platform.resources["uart", 0]
            lines = [line for line in uart.ios if line.name in ("rx", "tx")]
            return Resource("serial", 0, *lines, uart.attrs)
        return Resource(
            *("serial", 0),
            Subsignal("rx", Pins(self.uart.rx, dir="i"), Attrs(**PULL_UPS[self.device.family])),
            Subsignal("tx", Pins(self.uart.tx, dir="o")),
            Attrs(**STANDARDS[self.device.family]),
        )
