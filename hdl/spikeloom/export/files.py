"""The files of a generated core for use in other projects."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from jinja2 import Template

from .. import __version__
from .verilog import to_verilog

if TYPE_CHECKING:
    from ..contract import Core

MEANINGS = {
    "clk": "clock; everything happens at its rising edge",
    "rst": "synchronous reset, active high; drops a run and all operands",
    "start": "begins a run; taken while busy is low",
    "seed": "seed of every LFSR, loaded with start; any number",
    "busy": "high from start to the last output beat",
    "done": "high for one clock, when busy falls after the last output beat",
}

LINT_WAIVERS = """`verilator_config
// What Verilator says about generated Verilog, and why it is no fault:
// Yosys keeps the names of all intermediate signals, read or not.
lint_off -rule UNUSEDSIGNAL
// Yosys writes every submodule into one file.
lint_off -rule DECLFILENAME
// Yosys numbers vector bits and array elements upwards as well as downwards.
lint_off -rule ASCRANGE
// Yosys gives registers their reset value both in an initial statement and in the clocked process.
lint_off -rule PROCASSINIT
// A non-blocking assignment at time 0 has every always @* block run once; see the comments there.
lint_off -rule INITIALDLY
// A port and a signal of a submodule may carry the same name.
lint_off -rule VARHIDDEN
// Amaranth's arithmetic widens results on its own; Yosys writes the shorter operands as they are.
lint_off -rule WIDTHEXPAND
// The same for results of which only the low bits are kept.
lint_off -rule WIDTHTRUNC
// A value that no case names leaves what was assigned before the case; Yosys writes no default.
lint_off -rule CASEINCOMPLETE
"""

FUSESOC = Template(
    """CAPI=2:
name: spikeloom:generated:{{ module }}:{{ version }}
description: "{{ summary }}"

filesets:
  rtl:
    files:
      - {{ module }}.v
    file_type: verilogSource
  waivers:
    files:
      - lint.vlt
    file_type: vlt

targets:
  default: &default
    filesets: [rtl]
    toplevel: {{ module }}
  lint:
    <<: *default
    description: Verilator's opinion of the source
    filesets: [rtl, waivers]
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
  sim:
    <<: *default
    description: Compile with Icarus Verilog
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2012, -Wall]
""",
    keep_trailing_newline=True,
)


def core_files(core: Core, tdata: str = "bytes") -> dict[str, Any]:
    """Files of a generated core: name to text, the same text for the same `core` and `tdata`, the
    widths of its streams' ``tdata`` (a name in `axi_top.TDATA`).

    Verilog, a FuseSoC core file (targets lint and sim), lint waivers with reasons, and
    ``manifest.json`` with the parameters, ports, cycles and a SHA-256 of the Verilog.
    """
    module = to_verilog(core, tdata)
    meanings = MEANINGS | {name: flag.meaning for name, flag in core.flags.items()}
    manifest = {
        "generator": f"spikeloom {__version__}",
        "core": core.NAME,
        "summary": core.describe(),
        "module": module.name,
        "config": core.settled().as_dict(),
        "cycles": core.cycles(),
        "tdata": tdata,
        "ports": [
            {
                "name": name,
                "direction": direction,
                "width": width,
                "meaning": meanings.get(name, "AXI4-Stream"),
            }
            for name, direction, width in module.ports
        ],
        "sha256": hashlib.sha256(module.text.encode()).hexdigest(),
    }
    fusesoc = FUSESOC.render(module=module.name, version=__version__, summary=core.describe())
    return {
        f"{module.name}.v": module.text,
        f"{module.name}.core": fusesoc,
        "lint.vlt": LINT_WAIVERS,
        "manifest.json": json.dumps(manifest, indent=2) + "\n",
    }
