"""Size and levels of logic of a core after synthesis, cached by the content of its Verilog."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from spikeloom.contract import Core
from spikeloom.environment import cache_folder
from spikeloom.export.verilog import to_verilog
from spikeloom.families import Part, Synthesis
from spikeloom.outputs import output_file
from spikeloom.tools import run_tool, versions

from ..logic_levels import logic_levels
from ..report import finish_synthesis

FORMAT = 2  # of a cached result


def synthesised(config: Core, part: Part) -> tuple[Synthesis, float]:
    """The cells of the core, built for `part`, and its longest path in levels of logic.

    The result is cached in the user's cache folder, by the Verilog, the script and Yosys' version.
    """
    family = part.family
    module = to_verilog(config, family=part)
    script = f"read_verilog core.v; {family.synthesise(module.name, 'core.json')}"
    content = [str(FORMAT), family.NAME, *versions("yosys").values(), script, module.text]
    key = hashlib.sha256("\0".join(content).encode()).hexdigest()
    place = cache_folder()
    cached = place / f"synthesis-{key}.json" if place else None
    if cached is not None and (found := _read(cached)) is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="spikeloom-size-") as folder:
        (Path(folder) / "core.v").write_text(module.text)
        run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=folder)
        netlist = Path(folder) / "core.json"
        size = replace(finish_synthesis(netlist, family), optimised={})
        levels = logic_levels(json.loads(netlist.read_text()), family)
    if cached is not None:
        with output_file(cached) as file:
            file.write_text(json.dumps(vars(size) | {"levels": levels}))
    return size, levels


def _read(path: Path) -> tuple[Synthesis, float] | None:
    """A cached result; None if there is none or it is damaged."""
    try:
        record = json.loads(path.read_text())
        levels = float(record.pop("levels"))
        return Synthesis(**record), levels
    except (OSError, ValueError, KeyError, TypeError):
        return None
