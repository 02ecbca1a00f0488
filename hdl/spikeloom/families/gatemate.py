"""Cologne Chip GateMate: Project Peppercorn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..tools import Tool
from .family import Device, Family, Part, Pll, Synthesis, count


@dataclass(frozen=True)
class GateMatePll(Pll):
    """A `CC_PLL`: place and route computes the dividers from the two frequencies, in MHz."""

    f_in: float
    f_out: float

    def instance(self, source: Any, clk: Any, locked: Any, *, pad: bool = False) -> Any:
        """Feedback is internal; the other phases are unused."""
        from amaranth.hdl import Instance

        return Instance(
            "CC_PLL",
            ("p", "REF_CLK", f"{self.f_in:.12g}"),
            ("p", "OUT_CLK", f"{self.f_out:.12g}"),
            ("p", "PERF_MD", "SPEED"),
            ("p", "LOW_JITTER", 1),
            ("p", "CI_FILTER_CONST", 2),
            ("p", "CP_FILTER_CONST", 4),
            ("i", "CLK_REF", source),
            ("i", "CLK_FEEDBACK", 0),
            ("i", "USR_CLK_REF", 0),
            ("i", "USR_LOCKED_STDY_RST", 0),
            ("o", "CLK0", clk),
            ("o", "USR_PLL_LOCKED", locked),
        )


class GateMate(Family):
    """Cells are halves of a CPE, a tree of LUTs with a flip-flop each. Constraints do not hold the
    clock: place and route takes it as an option."""

    NAME = "gatemate"
    TITLE = "GateMate"
    DEVICES = (
        Device(
            *("ccgm1a1", "CCGM1A1", 40960, 64, ()),
            presets="gatemate",
            packages=("FBGA324",),
        ),
    )

    PLACER = "nextpnr-himbaechel-gatemate"
    PACKER = "gmpack"
    PACKAGE = "yowasp-nextpnr-himbaechel-gatemate"
    TOOLS = {
        PLACER: Tool(
            "NEXTPNR_GATEMATE", ("yowasp-nextpnr-himbaechel-gatemate",), f"pip install {PACKAGE}"
        ),
        PACKER: Tool("GMPACK", ("yowasp-gmpack",), f"pip install {PACKAGE}"),
    }

    CONSTRAINTS = "ccf"
    ROUTED = "config"
    BITSTREAM = "bit"

    CELL = "CPE_LT"
    RAM = "RAM_HALF"
    RAM_BITS = 20 << 10
    PLL = "PLL"
    APPENDED = ("CC_[A-Z0-9]+", "lt", "upper", "lower")

    IO_STANDARD = {}
    PULL_UP = {"PULLUP": "true"}

    LEVELS = {
        **dict.fromkeys(("CC_LUT1", "CC_LUT2", "CC_LUT3", "CC_LUT4", "CC_L2T4", "CC_L2T5"), 1.0),
        **dict.fromkeys(("CC_MX2", "CC_MX4", "CC_MX8"), 0.25),
        "CC_ADDF": 0.1,
    }
    MEMORY_LEVELS = {"CC_BRAM_20K": 2.0, "CC_BRAM_40K": 2.0}
    MODELS = ("gatemate/cells_sim.v",)

    LUT_RAM = False
    BIT_MASK = True

    def synthesise(self, top: str, netlist: str = "") -> str:
        script = f"synth_gatemate -top {top} -luttree -nomx8"
        return script + (f" -json {netlist}" if netlist else "")

    def place(
        self, part: Part, netlist: str, *, constraints: str = "", routed: str = "", mhz: float = 0
    ) -> list[str]:
        return [
            *(self.PLACER, "--device", part.device.name, "--json", netlist),
            *("--vopt", f"ccf={constraints}" if constraints else "allow-unconstrained"),
            *(("--vopt", f"out={routed}") if routed else ()),
            *(("--freq", f"{mhz:g}") if mhz else ()),
        ]

    def pack(
        self, part: Part, routed: str, bitstream: str, options: Sequence[str] = ()
    ) -> list[str]:
        return [self.PACKER, *options, "--input", routed, "--bit", bitstream]

    def constrain_pin(self, port: str, pin: str, attributes: Mapping[str, Any]) -> list[str]:
        kinds = "".join(f" | {key}={value}" for key, value in attributes.items())
        return [f'Pin_inout "{port}" Loc = "{pin}"{kinds};']

    def pll(self, f_in: float, f_out: float) -> GateMatePll | None:
        """Limits of the data sheet in speed mode: reference up to 50 MHz, oscillator 1250..2500
        MHz, output up to 416.67 MHz. Output: ``f_in * multiplier / divider``, where the oscillator
        is at twice ``f_in * multiplier``, and the divider 2 or a multiple of 4."""
        if not 0 < f_in <= 50e6 or f_out > 416.67e6:
            return None
        for multiplier in range(1, int(1250e6 / f_in) + 1):
            if f_in * multiplier <= 625e6:
                continue
            divider = f_in * multiplier / f_out
            if divider == 2 or (divider % 4 == 0 and divider <= 2 * 64 * 1024):
                return GateMatePll(f_in / 1e6, f_out / 1e6)
        return None

    def size(self, counts: Mapping[str, int]) -> Synthesis:
        """LUT4 include adders and multiplexers of four. Block RAMs are those of 20 Kbit."""
        luts = count(counts, "CC_L2T", "CC_LUT", "CC_ADDF", "CC_MX")
        rams = count(counts, "CC_BRAM_20K") + 2 * count(counts, "CC_BRAM_40K")
        return Synthesis(luts, count(counts, "CC_DFF"), rams)


FAMILY = GateMate()
