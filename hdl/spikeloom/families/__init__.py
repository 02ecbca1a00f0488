"""FPGA families: each is one module of this folder, whose object is called `FAMILY`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from ..errors import InputError, unknown
from ..tools import TOOLS
from .family import Device as Device
from .family import Family as Family
from .family import Part as Part
from .family import Pll as Pll
from .family import Synthesis as Synthesis

FAMILIES: dict[str, Family] = {}
"""Families by name, in the order of their smallest devices."""


def register(family: Family) -> None:
    """Register `family` and its tools.

    Raises ValueError if its name or that of one of its devices is taken.
    """
    taken = {device.id for one in FAMILIES.values() for device in one.DEVICES}
    for name in (family.NAME, *(device.id for device in family.DEVICES)):
        if name in FAMILIES or name in taken:
            raise ValueError(f"family {family.NAME!r}: the name {name!r} is taken")
    TOOLS.update(family.TOOLS)
    known = sorted((*FAMILIES.values(), family), key=_smallest)
    FAMILIES.clear()
    FAMILIES.update({one.NAME: one for one in known})


def _smallest(family: Family) -> int:
    return min(device.cells for device in family.DEVICES)


def find_family(name: str) -> Family:
    """The family called `name`. Raises `InputError` listing all families."""
    if name not in FAMILIES:
        raise unknown("FPGA family", name, FAMILIES)
    return FAMILIES[name]


def family_of(platform: Any) -> Family | None:
    """The family of an Amaranth platform, or that of the family or part given in its place; None
    without a platform, or for another family."""
    if isinstance(platform, Family):
        return platform
    if isinstance(platform, Part):
        return platform.family
    name = getattr(platform, "family", "")
    return next((family for family in FAMILIES.values() if family.is_platform(name)), None)


def device_of(platform: Any) -> Device | None:
    """The device of an Amaranth platform, or of the part given in its place; None if only the
    family is known, or not even that."""
    if isinstance(platform, Part):
        return platform.device
    family, name = family_of(platform), getattr(platform, "device", None)
    devices = family.DEVICES if family is not None else ()
    return next((device for device in devices if device.name == name), None)


def find_part(device: str, package: str = "", speed: str = "") -> Part:
    """A device by its id; package and speed grade default to its first ones.

    Raises `InputError` listing the alternatives.
    """
    devices = {one.id: (family, one) for family in FAMILIES.values() for one in family.DEVICES}
    if device not in devices:
        raise unknown("device", device, devices)
    family, found = devices[device]
    for key, value, known in (
        ("package", package, found.packages),
        ("speed", speed, found.speeds),
    ):
        if value and value not in known:
            names = ", ".join(filter(None, known)) or "none"
            raise InputError(f"{key} {value!r} is not one of {device}'s: {names}")
    return Part(family, found, package or found.packages[0], speed or found.speeds[0])


@dataclass(frozen=True)
class Netlist:
    """A kind of netlist to simulate: a family's cells, placed on `part` if given."""

    family: Family
    part: Part | None = None

    @property
    def target(self) -> Family | Part:
        """What the Verilog is made for."""
        return self.part or self.family


def netlists() -> dict[str, Netlist]:
    """Kinds of netlists by name: "FAMILY", and "FAMILY-routed" if that can be simulated."""
    routed = [family for family in FAMILIES.values() if family.SIMULATED_DEVICE]
    return {family.NAME: Netlist(family) for family in FAMILIES.values()} | {
        f"{family.NAME}-routed": Netlist(family, find_part(family.SIMULATED_DEVICE))
        for family in routed
    }


def find_netlist(name: str) -> Netlist:
    """The kind of netlist called `name`. Raises `InputError` listing all kinds."""
    kinds = netlists()
    if name not in kinds:
        raise unknown("family", name, kinds)
    return kinds[name]


def load() -> None:
    """Register the families of this folder that are not registered yet."""
    modules = [import_module(f"{__name__}.{one.name}") for one in iter_modules(__path__)]
    found = [module.FAMILY for module in modules if hasattr(module, "FAMILY")]
    for family in found:
        if family not in FAMILIES.values():
            register(family)


load()
