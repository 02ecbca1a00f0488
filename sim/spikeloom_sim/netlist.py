"""Synthesised netlists as Verilog that any simulator can run."""

from dataclasses import replace
from pathlib import Path

from spikeloom.errors import InputError
from spikeloom.tools import run_tool

# ECP5 block RAM has no simulation model in Yosys, so memories become distributed RAM there.
SYNTHESIS = {"ice40": "synth_ice40 -top {top}", "ecp5": "synth_ecp5 -nobram -top {top}"}


def synthesise(module, family, folder):
    """Synthesise a `VerilogModule` for an FPGA family ("ice40" or "ecp5").

    Returns the netlist as a `VerilogModule` of the same name and ports: LUTs, flip-flops, carries
    and memories as Yosys placed them, each replaced by the family's simulation model. (The models
    as they are upstream need constructs that Icarus 11 does not know.) Leaves ``synthesis.log`` and
    the netlist itself, ``cells.v``, in `folder`.
    """
    if family not in SYNTHESIS:
        raise InputError(f"netlist = {family!r} is not one of " + ", ".join(SYNTHESIS))
    folder = Path(folder)
    (folder / "rtl.v").write_text(module.text)
    script = [
        "read_verilog rtl.v",
        SYNTHESIS[family].format(top=module.name),
        "check -assert",
        "write_verilog -noattr cells.v",
        f"read_verilog -overwrite +/{family}/cells_sim.v",
        f"hierarchy -check -top {module.name}",
        "proc",
        "setattr -mod -unset whitebox -unset lib_whitebox -unset keep_hierarchy =*",
        "flatten",
        "opt_clean",
        "write_verilog -noattr netlist.v",
    ]
    run_tool("yosys", "-ql", "synthesis.log", "-p", "; ".join(script), cwd=folder)
    return replace(module, text=(folder / "netlist.v").read_text())
