"""Cells of a core after synthesis for an FPGA family."""

import tempfile
from pathlib import Path

from spikeloom.contract import Core
from spikeloom.export.verilog import to_verilog
from spikeloom.families import Family, Part, Synthesis
from spikeloom.tools import run_tool

from .report import finish_synthesis


def netlist_size(config: Core, target: Family | Part) -> Synthesis:
    """Synthesise the core, built for a family or a part, with its AXI4-Stream ports."""
    module = to_verilog(config, family=target)
    family = target.family if isinstance(target, Part) else target
    with tempfile.TemporaryDirectory(prefix="spikeloom-size-") as folder:
        (Path(folder) / "core.v").write_text(module.text)
        script = f"read_verilog core.v; {family.synthesise(module.name, 'core.json')}"
        run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=folder)
        return finish_synthesis(Path(folder) / "core.json", family)
