"""What a core costs before placement, on a family of FPGAs."""

import tempfile
from pathlib import Path

from spikeloom.export.verilog import to_verilog
from spikeloom.tools import run_tool

from .report import read_synthesis

SYNTHESIS = {"ice40": "synth_ice40", "ecp5": "synth_ecp5"}


def netlist_size(config, family):
    """Synthesise the core with its AXI4-Stream ports; returns a `Synthesis`."""
    module = to_verilog(config)
    with tempfile.TemporaryDirectory(prefix="spikeloom-size-") as folder:
        (Path(folder) / "core.v").write_text(module.text)
        script = f"read_verilog core.v; {SYNTHESIS[family]} -top {module.name}"
        run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=folder)
        return read_synthesis(Path(folder) / "synthesis.log", family)
