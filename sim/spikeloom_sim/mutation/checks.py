"""What runs on each mutant: a testbench in Verilog, and the cocotb suite."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from spikeloom.environment import child_environment
from spikeloom.export.files import Options, write_files
from spikeloom.export.manifest import manifest_of
from spikeloom.export.testbench import bench_files

from ..backends.rtl import build_simulation
from ..regression import suite_environment
from ..simulators import Verilator
from . import run_suite
from .design import PLUSARG, MutantDesign

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.export.verilog import VerilogModule

# A mutant counts as noticed that takes so many times as long as the core without a fault, and so
# many seconds: it may loop without time advancing in simulation.
TIMES, SECONDS = 8, 30

RESETS = 400  # of runs of the suite, in random cycles

ERROR = "errors = errors + 1;"  # in the testbench

# Shares of ones in the operands of runs of the testbench; below 0 and above 1: all zeros, ones.
DENSITIES = (0.5, 0.5, 0.2, 0.8, -1, 2, 0.5, 0.05, 0.95)
OTHERS = (0.5, 0.3, 0.7, 0.1, 0.9)  # of all further runs, in turn
# There are as many runs as have so many cycles together, within limits, and twice as many more with
# operands at the edges of sums, if the core has any.
CYCLES = 1_000_000
FEWEST, MOST = 25, 1000


def long_bench_files(core: Core, module: VerilogModule) -> dict[str, str]:
    """`bench_files` of a core, whose Verilog `module` is, with many more runs."""
    runs = min(max(CYCLES // core.cycles(), FEWEST), MOST)
    shares = [*DENSITIES, *islice(cycle(OTHERS), runs - len(DENSITIES))]
    return bench_files(core, manifest_of(core, module, Options()), shares, edges=2 * runs)


class Check:
    """A check of mutants by their number; 0 is the core itself, which comes first."""

    def __init__(self) -> None:
        self._limit: float | None = None

    def passes(self, number: int) -> bool:
        """Whether mutant `number` passes."""
        begun = time.monotonic()
        passed = self._run(number, self._limit)
        if number == 0:
            self._limit = max(SECONDS, TIMES * (time.monotonic() - begun))
        return passed

    def _run(self, number: int, limit: float | None) -> bool:
        """Whether mutant `number` passes, within `limit` seconds if that is given."""
        raise NotImplementedError


class Testbench(Check):
    """The testbench that `generate` writes, with many more runs: every output bit, the exact cycles
    of the first run, pauses on all streams. It ends at the first error, so most mutants take a few
    hundredths of a second."""

    __test__ = False  # it is no test of pytest

    def __init__(self, design: MutantDesign) -> None:
        super().__init__()
        self._folder = design.folder / "testbench"
        module = design.mutants
        write_files(design.folder, long_bench_files(design.config, module))
        bench = self._folder / f"{module.name}_tb.v"
        text = bench.read_text()
        assert ERROR in text
        bench.write_text(text.replace(ERROR, f"{ERROR} $fatal(1);"))
        (self._folder / "mutants.v").write_text(module.text)
        self._top = f"{module.name}_tb"
        Verilator.build_testbench(self._folder, self._top, [f"{self._top}.v", "mutants.v"])

    def _run(self, number: int, limit: float | None) -> bool:
        try:
            done = subprocess.run(
                [self._folder / "obj_dir" / f"V{self._top}", f"+{PLUSARG}={number}"],
                cwd=self._folder,
                env=child_environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


class Suite(Check):
    """The cocotb suite: also resets in mid-run, starts while busy, and misplaced ``tlast``. It
    takes seconds."""

    def __init__(self, design: MutantDesign) -> None:
        super().__init__()
        self._folder = design.folder / "suite"
        self._folder.mkdir(exist_ok=True)
        self._config = design.config
        self._top = design.original.name
        build_simulation(design.mutants, "verilator", self._folder)
        # The child imports the packages of this process, whichever are installed.
        packages = os.pathsep.join(filter(None, sys.path))
        environment = suite_environment(design.config, self._folder, RESETS)
        self._environment = environment | {"PYTHONPATH": packages}

    def _run(self, number: int, limit: float | None) -> bool:
        with tempfile.TemporaryDirectory(prefix="spikeloom-mutant-") as name:
            folder = Path(name)
            for file in self._folder.iterdir():
                (folder / file.name).symlink_to(file.resolve())
            command = [sys.executable, "-m", run_suite.__name__, self._top, name, str(number)]
            # In a process group of its own, so that all of it can be killed.
            child = subprocess.Popen(
                command,
                env=child_environment(**self._environment),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                return child.wait(limit) == 0
            except subprocess.TimeoutExpired:
                return False
            finally:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
