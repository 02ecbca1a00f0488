"""Run proofs: convert a harness to RTLIL, run SymbiYosys, and report its result."""

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
    """Prove every `Assert` of a harness, or reach every `Cover`.

    Parameters
    ----------
    harness : component; its inputs are arbitrary, except for its `Assume` statements.
    name : name of the proof and of its files.
    folder : folder for these files.
    depth : cycles, of induction for "prove", from the initial state for "bmc" and "cover".
    mode : "prove" (k-induction, unbounded), "bmc" or "cover".
    registers : map memories to registers and tables to logic, so that the solver does not need the
        theory of arrays; for cores with many small memories.

    Returns SymbiYosys' log. Raises `JobError` with the failed property and step.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = rtlil.convert(harness, name=name, platform="formal", emit_src=False)
    (folder / f"{name}.il").write_text(text)
    # The solver rejects ports of no bits, such as the address of a memory of one word.
    script = f"read_rtlil {name}.il\nprep -flatten -top {name}\ndelete -port s:0\n"
    script += "memory_map\nopt -full\nopt_clean -purge" if registers else "opt_clean -purge"
    return run_sby(name, script, [f"{name}.il"], folder, depth, mode)


def run_sby(
    name: str, script: str, files: Sequence[str | Path], folder: Path, depth: int, mode: str
) -> str:
    """Run SymbiYosys on the design that Yosys `script` reads from `files`; see `prove`."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    folder = Path(folder)
    text = _SBY.format(mode=mode, depth=depth, script=script, files="\n".join(map(str, files)))
    (folder / f"{name}.sby").write_text(text)

    # Tools are called by name, because sby passes paths through a shell unquoted.
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
