"""The interface of an FPGA family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ..tools import Tool


@dataclass(frozen=True)
class Device:
    """One FPGA of a family.

    Parameters
    ----------
    id : short name, used by boards and by rows of the bench.
    name : the vendor's name, also used by Amaranth.
    cells, block_rams : number of each.
    place : options of place and route that select it.
    presets : its device class: cores have presets by device class.
    large_rams : number of large single-port RAMs, which the bitstream cannot initialise.
    dsps : number of DSP blocks that multiply.
    packages, speeds : its packages and speed grades. The bench uses the first of each.
    """

    id: str
    name: str
    cells: int
    block_rams: int
    place: tuple[str, ...]
    presets: str
    packages: tuple[str, ...]
    speeds: tuple[str, ...] = ("",)
    large_rams: int = 0
    dsps: int = 0


@dataclass(frozen=True)
class Part:
    """A device in a package and speed grade, on which a design is placed."""

    family: Family
    device: Device
    package: str
    speed: str

    @property
    def id(self) -> str:
        """The short name of the device."""
        return self.device.id

    @property
    def has_large_ram(self) -> bool:
        """Whether memories that are loaded after reset can ask for large RAM."""
        return self.device.large_rams > 0


@dataclass(frozen=True)
class Synthesis:
    """Cells of a netlist, the minimum that the design needs, and the counts of `optimise`."""

    lut4: int
    registers: int
    block_rams: int
    large_rams: int = 0
    dsps: int = 0
    optimised: Mapping[str, int] = field(default_factory=dict)


class Pll(ABC):
    """Settings of a PLL for one frequency."""

    @abstractmethod
    def instance(self, source: Any, clk: Any, locked: Any, *, pad: bool = False) -> Any:
        """The Amaranth instance that generates the clock `clk` from `source`, with status `locked`.
        `pad`: `source` is the port of the pad next to the PLL rather than a signal."""


class Family(ABC):
    """One FPGA family: its devices, its tools, and everything that differs between families.

    Each family is one module of this folder: a subclass, and an object of it called `FAMILY`.
    `place` and `pack` return a command line: the tool's name in `spikeloom.tools.TOOLS`, and its
    arguments.
    """

    NAME: ClassVar[str]  # as on the command line
    TITLE: ClassVar[str]  # for people
    DEVICES: ClassVar[tuple[Device, ...]]

    # Tools. PACKAGE is the Python package that brings them, whose version decides the bitstream.
    PLACER: ClassVar[str]
    PACKER: ClassVar[str]
    PACKAGE: ClassVar[str]
    TOOLS: ClassVar[Mapping[str, Tool]]

    # File name endings. NETLIST and CONSTRAINTS are those of Amaranth's platform; ROUTED is what
    # place and route writes for the packer, "" if the packer reads nextpnr's JSON.
    NETLIST: ClassVar[str] = "json"
    CONSTRAINTS: ClassVar[str]
    COMMENT: ClassVar[str] = "#"  # begins a comment in the constraints
    ROUTED: ClassVar[str]
    BITSTREAM: ClassVar[str]

    # Pins of each device, for designs that may have any, where place and route does not choose some
    # itself.
    SOME_PINS: ClassVar[Mapping[str, Sequence[str]]] = {}

    # Names of cells in nextpnr's report: logic, memories, DSP blocks, PLLs. APPENDED are regular
    # expressions of what the tools append to a signal's name, after an underscore, for a cell.
    CELL: ClassVar[str]
    RAM: ClassVar[str]
    LARGE_RAM: ClassVar[str] = ""  # "" if the family has none
    DSP: ClassVar[str] = ""  # likewise, for blocks that multiply
    RAM_BITS: ClassVar[int] = 0  # of a block RAM; 0 if it is not checked
    LARGE_RAM_BITS: ClassVar[int] = 0
    PLL: ClassVar[str]
    APPENDED: ClassVar[tuple[str, ...]]

    # Attributes of pins in Amaranth: for every pin, and for an input with a pull-up.
    IO_STANDARD: ClassVar[Mapping[str, Any]]
    PULL_UP: ClassVar[Mapping[str, Any]]

    # Delays along a path between registers, in units of a LUT with its wire: of a cell that the
    # path goes through, and of a memory where it begins, beyond that of a flip-flop. Paths end at
    # the other cells, and at the write ports of memories made of LUTs.
    LEVELS: ClassVar[Mapping[str, float]] = {}
    MEMORY_LEVELS: ClassVar[Mapping[str, float]] = {}
    LUT_MEMORIES: ClassVar[tuple[str, ...]] = ()

    # Simulation models of the cells: among Yosys' shared files, files of this folder for cells that
    # have none there, and macros to define before them.
    MODELS: ClassVar[tuple[str, ...]]
    OWN_MODELS: ClassVar[tuple[str, ...]] = ()
    MODEL_MACROS: ClassVar[tuple[str, ...]] = ()
    # The device on which to place and route netlists for simulation; "" if that is not supported.
    SIMULATED_DEVICE: ClassVar[str] = ""

    # Whether LUTs can be a small memory, so that few words need no block RAM.
    LUT_RAM: ClassVar[bool] = True
    # Whether a write to block RAM can leave any bits of the word as they were.
    BIT_MASK: ClassVar[bool] = False
    # Whether `optimise` moves the register behind a block RAM into it.
    OUTPUT_REGISTER: ClassVar[bool] = False
    # Duration of the reset after configuration, until block RAM can be read.
    RESET_SECONDS: ClassVar[float] = 15e-6
    # Whether rows of the floorplan are counted from the top.
    ROWS_FROM_TOP: ClassVar[bool] = False

    def is_platform(self, name: str) -> bool:
        """Whether Amaranth platforms whose ``family`` is `name` have FPGAs of this family."""
        return name.lower() == self.NAME

    @property
    def has_large_ram(self) -> bool:
        """Whether a device has large RAM, see `Part.has_large_ram`."""
        return any(device.large_rams for device in self.DEVICES)

    @abstractmethod
    def synthesise(self, top: str, netlist: str = "") -> str:
        """Yosys commands that map module `top` to cells, and write them as JSON to `netlist`."""

    def multiplier(self, device: Device | None, clk: Any, a: Any, b: Any, o: Any) -> Any | None:
        """The Amaranth instance of a DSP block that multiplies, with registers for `a`, `b` and the
        product `o`; None without such blocks in `device` (None: any device of the family)."""
        return None

    def multiplier_pair(
        self, device: Device | None, clk: Any, a: Any, b: Any, o: Any
    ) -> Any | None:
        """Likewise for two signed products of 8 bits in one block: `a` and `b` are both operands of
        each, `o` both products. None if a block has only one."""
        return None

    def optimise(self, netlist: Path) -> dict[str, int]:
        """Improve, in place, the netlist that the commands of `synthesise` wrote.

        Returns what was done and what was left, counted, for reports.
        """
        return {}

    @abstractmethod
    def place(
        self, part: Part, netlist: str, *, constraints: str = "", routed: str = "", mhz: float = 0
    ) -> list[str]:
        """Command line that places and routes a netlist; options that every nextpnr knows may
        follow.

        `constraints` names the file of pins; without, pins are free, if there are no `SOME_PINS`.
        `routed` is the file to write for the packer. `mhz` is the clock, given for families whose
        constraints do not say it.
        """

    @abstractmethod
    def pack(
        self, part: Part, routed: str, bitstream: str, options: Sequence[str] = ()
    ) -> list[str]:
        """Command line that makes the bitstream, with a board's `options` of the packer."""

    @abstractmethod
    def constrain_pin(self, port: str, pin: str, attributes: Mapping[str, Any]) -> list[str]:
        """Lines of a constraints file that put a port on a pin."""

    def constrain_clock(self, port: str, mhz: float) -> str:
        """The line of a constraints file that specifies the clock frequency at a port. Without a
        syntax for it, a comment: place and route has an option."""
        return f"{self.COMMENT} {port}: {mhz:g} MHz, an option of place and route"

    @abstractmethod
    def pll(self, f_in: float, f_out: float) -> Pll | None:
        """The PLL that generates exactly `f_out` from `f_in` (Hz), or None if there is none."""

    @abstractmethod
    def size(self, counts: Mapping[str, int]) -> Synthesis:
        """Resources of a netlist, from Yosys' count of each type of cell."""

    def utilisation(self, used: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
        """Logic cells and memories, by the utilisation in nextpnr's report."""
        none = {"used": 0, "available": 0}
        large = used.get(self.LARGE_RAM, none)
        dsp = used.get(self.DSP, none)
        return {
            "cells": used[self.CELL]["used"],
            "cells_available": used[self.CELL]["available"],
            "block_rams": used[self.RAM]["used"],
            "block_rams_available": used[self.RAM]["available"],
            "large_rams": large["used"],
            "large_rams_available": large["available"],
            "dsps": dsp["used"],
            "dsps_available": dsp["available"],
        }


def count(counts: Mapping[str, int], *prefixes: str) -> int:
    """Cells whose type begins with any of `prefixes`."""
    return sum(number for cell, number in counts.items() if cell.startswith(prefixes))
