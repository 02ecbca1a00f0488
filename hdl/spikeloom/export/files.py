"""The files of a generated core for use in other projects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Template

from .. import __version__
from .comments import header
from .instances import instance_files
from .manifest import manifest_of
from .testbench import testbench_files
from .verilog import to_verilog

if TYPE_CHECKING:
    from ..contract import Core

LINT_WAIVERS = Template(
    """`verilator_config
// What Verilator says about generated Verilog, and why it is no fault:
// Yosys keeps the names of all intermediate signals, read or not.
lint_off -rule UNUSEDSIGNAL -file "*{{ module }}.v"
// Yosys writes every submodule into one file.
lint_off -rule DECLFILENAME -file "*{{ module }}.v"
// Yosys numbers vector bits and array elements upwards as well as downwards. (ASCRANGE is the new
// name of LITENDIAN, which old Verilators do not know.)
lint_off -rule LITENDIAN -file "*{{ module }}.v"
// A non-blocking assignment at time 0 has every always @* block run once; see the comments there.
lint_off -rule INITIALDLY -file "*{{ module }}.v"
// A port and a signal of a submodule may carry the same name.
lint_off -rule VARHIDDEN -file "*{{ module }}.v"
// Amaranth's arithmetic widens results on its own; Yosys writes the shorter operands as they are.
// The same for results of which only the low bits are kept.
lint_off -rule WIDTH -file "*{{ module }}.v"
// A value that no case names leaves what was assigned before the case; Yosys writes no default.
lint_off -rule CASEINCOMPLETE -file "*{{ module }}.v"
""",
    keep_trailing_newline=True,
)

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
      - {{ module }}.vlt
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


def core_files(core: Core, tdata: str = "bytes", name: str | None = None) -> dict[str, str]:
    """Files of a generated core: path to text, the same text for the same arguments. `tdata` names
    the widths of its streams' ``tdata`` (in `axi_top.TDATA`), `name` its top module.

    Verilog, a FuseSoC core file (targets lint and sim), lint waivers with reasons, templates that
    instantiate it in other languages, and ``manifest.json``, which describes it (see
    `manifest_of`).
    """
    module = to_verilog(core, tdata, name)
    manifest = manifest_of(core, module, tdata)
    text = header(manifest, module.tool) + "\n" + module.text
    manifest["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    fusesoc = FUSESOC.render(module=module.name, version=__version__, summary=core.describe())
    return {
        f"{module.name}.v": text,
        f"{module.name}.core": fusesoc,
        f"{module.name}.vlt": LINT_WAIVERS.render(module=module.name),
        **instance_files(manifest),
        **testbench_files(core, manifest),
        "manifest.json": manifest_text(manifest),
    }


def manifest_text(manifest: Mapping[str, object]) -> str:
    """The text of ``manifest.json``."""
    return json.dumps(manifest, indent=2) + "\n"


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write `files`, path below `folder` to text."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
