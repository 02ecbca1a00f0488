"""What is said about a board, and how it is read from the TOML files of this folder."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from importlib import import_module
from typing import Any, get_origin, get_type_hints

from spikeloom.errors import InputError
from spikeloom.families import Device, Family, Part, find_part
from spikeloom.tools import TOOLS

from ..programmer import Programmer

CHOICES = {"tool": TOOLS, "into": ("flash", "SRAM"), "node": ("usb", "tty", "hidraw")}


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
class Board:
    """One board.

    ``platform`` is "module:class" of its amaranth-boards definition; ``device`` the FPGA by its id
    in `spikeloom.families`, in ``package`` and of ``speed`` grade (where the family has grades);
    ``clock`` and ``oscillator`` (Hz) its clock input; ``frequency`` (Hz) the clock that cores run
    at unless their preset says another, made by the PLL where it differs; ``pll_pad`` where the
    clock comes in on a pad that leads to the PLL alone.

    ``leds`` are the pass and fail lights as (resource, number) or (resource, number, part), as many
    of the two as there are, and ``tied`` the pins that must be held at a level, with the level.
    ``uart`` is the serial port. The platform has them all as resources ("light", n), ("tied", n)
    and ("serial", 0), the latter of rx and tx alone.

    ``top`` is what there is room for around a core, ``pack`` the packer's options.
    ``programmers`` come in order of preference, ``before_flash`` says what they want of the board's
    owner, ``notes`` what else there is to know.
    """

    id: str
    title: str
    platform: str
    part: Part
    clock: str
    oscillator: int
    frequency: int
    leds: tuple[tuple[Any, ...], ...]
    uart: Uart
    programmers: tuple[Programmer, ...]
    top: str = "link"
    pack: tuple[str, ...] = ()
    pll_pad: bool = False
    tied: dict[str, int] = field(default_factory=dict)
    before_flash: str = ""
    notes: str = ""

    @property
    def device(self) -> Device:
        """The FPGA."""
        return self.part.device

    @property
    def family(self) -> Family:
        """The FPGA's family."""
        return self.part.family

    def make_platform(self) -> Any:
        """A fresh amaranth-boards platform object with the resources named above added."""
        module, _, name = self.platform.partition(":")
        try:
            platform = getattr(import_module(module), name)()
        except (ImportError, ValueError, AttributeError):
            raise InputError(
                f"{self.id}: platform {self.platform!r} cannot be imported; name it module:class"
            ) from None
        needed = [(self.clock, 0), *(led[:2] for led in self.leds)]
        needed += [] if self.uart.rx else [("uart", 0)]
        for resource in needed:
            if resource not in platform.resources:
                known = ", ".join(f"{name} {number}" for name, number in platform.resources)
                name, number = resource
                raise InputError(
                    f"{self.id}: {self.platform} has no resource {name} {number}; it has {known}"
                )
        platform.add_resources([*self._lights(platform), *self._tied(), self._serial(platform)])
        return platform

    def _lights(self, platform: Any) -> Iterator[Any]:
        from amaranth.build import Attrs, Resource, Subsignal

        for n, (name, number, *part) in enumerate(self.leds):
            led = platform.resources[name, number]
            ios = led.ios
            if part:
                # The stubs leave out what `Subsignal` holds.
                parts: list[Any] = [io for io in ios if isinstance(io, Subsignal)]
                lines = {io.name: io for io in parts}
                if part[0] not in lines:
                    known = ", ".join(lines) or "none"
                    raise InputError(f"{self.id}: {name} {number} has no part {part[0]!r}: {known}")
                ios = lines[part[0]].ios
            ios = [io for io in ios if not isinstance(io, Attrs)]
            yield Resource("light", n, *ios, led.attrs)

    def _tied(self) -> Iterator[Any]:
        from amaranth.build import Attrs, Pins, Resource

        for n, pin in enumerate(self.tied):
            attributes = Attrs(**self.family.IO_STANDARD)
            yield Resource("tied", n, Pins(pin, dir="o"), attributes)

    def _serial(self, platform: Any) -> Any:
        """The two lines of the serial port, without those for flow control."""
        from amaranth.build import Attrs, Pins, Resource, Subsignal

        if not self.uart.rx:
            uart = platform.resources["uart", 0]
            lines = [line for line in uart.ios if line.name in ("rx", "tx")]
            return Resource("serial", 0, *lines, uart.attrs)
        return Resource(
            *("serial", 0),
            Subsignal("rx", Pins(self.uart.rx, dir="i"), Attrs(**self.family.PULL_UP)),
            Subsignal("tx", Pins(self.uart.tx, dir="o")),
            Attrs(**self.family.IO_STANDARD),
        )


def read_boards(text: str, where: str) -> list[Board]:
    """Boards in a TOML text: one table each, called by the board's id, with the keys of `Board`.

    In place of ``part`` it has ``device``, ``package`` and, if there are grades, ``speed``. USB
    devices of programmers are "vendor:product", as `lsusb` writes them.

    Raises `InputError` that begins with `where` and the board.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not TOML: {error}") from None
    return [_board(name, table, f"{where}: {name}") for name, table in tables.items()]


def _board(name: str, table: Any, where: str) -> Board:
    if not isinstance(table, dict):
        raise InputError(f"{where} is no table; write a board as [{name}] and its keys")
    keys = dict(table)
    chosen = [keys.pop(key, "") for key in ("device", "package", "speed")]
    if "part" in keys or "id" in keys or not all(isinstance(one, str) for one in chosen):
        raise InputError(f"{where}: name the FPGA with device, package and speed, as texts")
    try:
        keys["part"] = find_part(*chosen)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    keys["uart"] = _made(Uart, keys.get("uart", {}), f"{where}: uart")
    programmers = keys.get("programmers", [])
    if not isinstance(programmers, list):
        raise InputError(f"{where}: programmers must be tables: [[{name}.programmers]]")
    keys["programmers"] = [_programmer(one, f"{where}: programmers") for one in programmers]
    board = _made(Board, keys | {"id": name}, where)
    _check(board, where)
    return board


def _check(board: Board, where: str) -> None:
    """Refuse what the types of the keys alone do not."""
    for led in board.leds:
        kinds = tuple(map(type, led)) if isinstance(led, tuple) else ()
        if kinds not in ((str, int), (str, int, str)):
            text = list(led) if kinds else led
            raise InputError(
                f"{where}: leds: {text!r} is not [resource, number] or [resource, number, part]"
            )
    if len(board.leds) > 2:
        raise InputError(f"{where}: leds: name the pass light and the fail light, no more")
    for pin, level in board.tied.items():
        if level not in (0, 1):
            raise InputError(f"{where}: tied: {pin} = {level!r} must be 0 or 1")
    for key in ("oscillator", "frequency"):
        if getattr(board, key) < 1:
            raise InputError(f"{where}: {key} = {getattr(board, key)} must be at least 1 Hz")


def _programmer(table: Any, where: str) -> Programmer:
    if not isinstance(table, dict):
        raise InputError(f"{where}: {table!r} is no table; give its tool, usb and into")
    keys = dict(table)
    for key, known in CHOICES.items():
        if key in keys and keys[key] not in list(known):
            raise InputError(f"{where}: {key} = {keys[key]!r} is not one of " + ", ".join(known))
    vendor, _, product = str(keys.get("usb", "")).partition(":")
    try:
        keys["usb"] = [int(vendor, 16), int(product, 16)]
    except ValueError:
        raise InputError(
            f"{where}: usb must be vendor:product in hexadecimal, such as 0403:6010"
        ) from None
    return _made(Programmer, keys, where)


def _made(cls: type, keys: Any, where: str) -> Any:
    """Make a `cls` from `keys`, check the type of each, and turn lists into tuples."""
    if not isinstance(keys, dict):
        raise InputError(f"{where} = {keys!r} must be a table")
    hints = get_type_hints(cls)
    needed = {one.name for one in fields(cls) if one.default is one.default_factory is MISSING}
    for key in (*keys, *sorted(needed)):
        if key not in hints:
            known = ", ".join(hints)
            raise InputError(f"{where}: unknown key {key!r}; keys: {known}")
        if key not in keys:
            raise InputError(f"{where}: key {key} is missing")
    values = {key: _tuples(value) for key, value in keys.items()}
    for key, value in values.items():
        kind = get_origin(hints[key]) or hints[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InputError(f"{where}: {key} = {keys[key]!r} must be of type {kind.__name__}")
    return cls(**values)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
