"""Running a proof: an Amaranth harness to RTLIL, SymbiYosys, and what it says."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # no stub

from spikeloom.environment import child_environment
from spikeloom.errors import JobError
from spikeloom.tools import require

if TYPE_CHECKING:
    from .harness import Harness

MODES = ("prove", "bmc", "cover")

_SBY = """[options]
mode {mode}
depth {depth}

[engines]
smtbmc z3

[script]
{script}

[files]
{files}
"""


def prove(
    harness: Harness,
    name: str,
    folder: Path,
    depth: int,
    mode: str = "prove",
    *,
    registers: bool = False,
) -> str:
    """Prove every `Assert` of an Amaranth component, or reach every `Cover`.

    Parameters
    ----------
    harness : component whose free inputs are what the environment may do, bounded by its `Assume`.
    name : name of the proof and of its files.
    folder : where they go.
    depth : clocks: of induction for "prove", from the initial state for "bmc" and "cover".
    mode : "prove" (k-induction, any number of clocks), "bmc" or "cover".
    registers : whether memories become registers and tables logic, which spares the solver the
        theory of arrays; for cores with many small ones.

    Returns SymbiYosys' log. Raises `JobError` with what failed and in which step.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = rtlil.convert(harness, name=name, platform="formal", emit_src=False)
    (folder / f"{name}.il").write_text(text)
    script = f"read_rtlil {name}.il\nprep -flatten -top {name}\n"
    script += "memory_map\nopt -full\nopt_clean -purge" if registers else "opt_clean -purge"
    return run_sby(name, script, [f"{name}.il"], folder, depth, mode)


def run_sby(
    name: str, script: str, files: Sequence[str | Path], folder: Path, depth: int, mode: str
) -> str:
    """Run SymbiYosys on the design that Yosys `script` makes of `files`; see `prove`."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    folder = Path(folder)
    text = _SBY.format(mode=mode, depth=depth, script=script, files="\n".join(map(str, files)))
    (folder / f"{name}.sby").write_text(text)

    # Called by their names, for sby's shell would stumble over what a path may hold.
    tools = {tool: Path(require(tool)) for tool in ("yosys", "yosys-smtbmc", "yosys-witness", "z3")}
    command = [require("sby"), "-f", f"{name}.sby"]
    for tool, path in tools.items():
        if tool != "z3":  # smtbmc looks for it on PATH
            command += ["--" + tool.removeprefix("yosys-"), path.name]
    folders = dict.fromkeys(str(path.parent) for path in tools.values())
    environment = child_environment()
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment
        | {"PATH": os.pathsep.join([*folders, environment.get("PATH", os.defpath)])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if result.returncode:
        raise JobError(f"{name}: {mode} to depth {depth} failed: {_reason(result.stdout)}")
    return result.stdout


def _reason(log):
    """The failing step, and the assertion, cover or tool that failed."""
    steps = re.findall(r"(?:in|at) step (\d+)", log)
    reasons = re.findall(
        r"(?:Assert failed|Unreached cover|ERROR|induction failed|Unexpected)[^\n]*", log
    )
    reasons += re.findall(r"Temporal induction failed[^\n]*", log)
    where = f"step {steps[-1]}; " if steps else ""
    return where + (" | ".join(dict.fromkeys(reasons)) or log[-400:].strip())
