"""The files of a generated core for use in other projects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from .comments import header
from .instances import design_words, environment, instance_files
from .manifest import manifest_of
from .testbench import bench_files
from .verilog import to_verilog

if TYPE_CHECKING:
    from ..contract import Core


def core_files(core: Core, tdata: str = "bytes", name: str | None = None) -> dict[str, str]:
    """Files of a generated core: path to text, the same text for the same arguments. `tdata` names
    the widths of its streams' ``tdata`` (in `axi_top.TDATA`), `name` its top module.

    Verilog, a FuseSoC core file, lint waivers with reasons, instances in other languages, a
    testbench with vectors of the golden model, and ``manifest.json``, which describes the design
    (see `manifest_of`).
    """
    module = to_verilog(core, tdata, name)
    manifest = manifest_of(core, module, tdata)
    text = header(manifest, module.tool) + "\n" + module.text
    manifest["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    testbench = bench_files(core, manifest)
    words = {"version": __version__, "testbench": bool(testbench)} | design_words(manifest)
    return {
        f"{module.name}.v": text,
        f"{module.name}.core": environment.get_template("fusesoc.core.j2").render(words),
        f"{module.name}.vlt": environment.get_template("waivers.vlt.j2").render(words),
        **instance_files(manifest),
        **testbench,
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
