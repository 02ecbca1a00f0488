"""The files of a generated core for use in other projects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import InputError, unknown
from ..shell.buses import BUSES
from .axi_top import TDATA
from .comments import header
from .design_name import check_name
from .instances import design_words, environment, instance_files
from .interfaces import RESETS
from .manifest import manifest_of
from .register_files import register_files
from .testbench import bench_files
from .verilog import to_verilog, without_large_ram

if TYPE_CHECKING:
    from ..contract import Core


@dataclass(frozen=True)
class Options:
    """How a design is generated; see `to_verilog`.

    name : name of the top module and the files, or None for the core's. tdata : widths of the
    streams' ``tdata``, in `axi_top.TDATA`. reset : name of the reset, in `interfaces.RESETS`.
    initial : whether registers have initial values. mhz : clock frequency in the constraints.
    large_ram : whether a memory that is loaded after reset asks for the large RAM that some devices
    have; tools refuse it for the others. shell : bus of the registers that take the place of the
    control ports, in `shell.buses.BUSES`, or None.
    """

    name: str | None = None
    tdata: str = "bytes"
    reset: str = "rst"
    initial: bool = True
    mhz: float = 100.0
    large_ram: bool = False
    shell: str | None = None

    def __post_init__(self) -> None:
        if self.name is not None:
            check_name(self.name)
        if self.tdata not in TDATA:
            raise unknown("tdata", self.tdata, TDATA)
        if self.reset not in RESETS:
            raise unknown("reset", self.reset, RESETS)
        if self.shell is not None and self.shell not in BUSES:
            raise unknown("shell", self.shell, BUSES)
        if not 0.001 <= self.mhz <= 10_000:
            raise InputError(f"--mhz {self.mhz} is no clock frequency; use 0.001..10000")


def core_files(core: Core, options: Options = Options()) -> dict[str, str]:
    """Files of a generated core: path to text, the same text for the same arguments.

    Verilog, a FuseSoC core file, lint waivers with reasons, the clock's constraint, listings of the
    core, instances in other languages, a testbench with vectors of the golden model, documents of
    the registers of a shell, and ``manifest.json``, which describes the design (see `manifest_of`).
    """
    module = to_verilog(
        core,
        options.tdata,
        options.name,
        options.reset,
        initial=options.initial,
        shell=options.shell,
    )
    manifest = manifest_of(core, module, options)
    text = header(manifest, module.tool) + "\n" + module.text
    if not options.large_ram:
        text = without_large_ram(text)
    manifest["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    testbench = bench_files(core, manifest)
    words = {"version": __version__, "testbench": bool(testbench), "mhz": options.mhz}
    words |= design_words(manifest)
    constraints = environment.get_template("clock.sdc.j2").render(words)
    return {
        f"{module.name}.v": text,
        f"{module.name}.core": environment.get_template("fusesoc.core.j2").render(words),
        f"{module.name}.vlt": environment.get_template("waivers.vlt.j2").render(words),
        f"{module.name}.sdc": constraints,
        f"{module.name}.xdc": constraints,
        **{f"{module.name}.{ending}": listing for ending, listing in core.listings.items()},
        **instance_files(manifest),
        **(register_files(core, manifest) if options.shell else {}),
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
