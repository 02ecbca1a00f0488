"""Mutation testing: check that the testbench detects a core with one fault.

Yosys' ``mutate`` adds one fault at a time to a generated core: a net that is inverted, stuck or
changed by another net. Every mutant runs through the whole cocotb suite. If it passes, it must be
proved equivalent to the original; otherwise the suite has a gap.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.errors import JobError
from spikeloom.export.verilog import to_verilog
from spikeloom.tools import run_tool

from .formal.equivalence import is_equivalent
from .regression import run_suite

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.export.verilog import VerilogModule

VERDICTS = ("killed", "equivalent", "survived")
TIME_LIMIT = 120  # seconds; a mutant may loop without simulated time advancing


@dataclass(frozen=True)
class Mutant:
    """A fault as a Yosys ``mutate`` command, with one of `VERDICTS`.

    "survived": the mutant passes the suite and could not be proved equivalent.
    """

    fault: str
    verdict: str


class MutantFarm:
    """Mutants of one configured core.

    Parameters
    ----------
    config : a small configuration, because every mutant runs the whole suite.
    folder : folder for designs and logs.
    """

    def __init__(self, config: Core, folder: Path) -> None:
        self.config = config
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.module = to_verilog(config)
        (self.folder / "rtl.v").write_text(self.module.text)
        prepare = (
            f"read_verilog rtl.v; hierarchy -check -top {self.module.name}; proc; flatten; "
            "opt_clean; memory -nomap; opt_clean; setattr -unset src c:* w:*; write_rtlil design.il"
        )
        self._yosys(prepare, "prepare.log")

    def faults(self, count: int, seed: int) -> list[str]:
        """About `count` faults, spread over the design; reproducible from `seed`."""
        self._yosys(
            f"read_rtlil design.il; mutate -list {count} -seed {seed} -o faults.txt", "faults.log"
        )
        return (self.folder / "faults.txt").read_text().splitlines()

    def verilog(self, fault: str = "") -> VerilogModule:
        """The core with `fault`, or without any, as a `VerilogModule`."""
        self._yosys(f"read_rtlil design.il; {fault}; write_verilog -noattr mutant.v", "mutant.log")
        return replace(self.module, text=(self.folder / "mutant.v").read_text())

    def passes_suite(self, fault: str = "") -> bool:
        """Whether the core with `fault` passes every test of the suite in time."""
        spawn = multiprocessing.get_context("spawn")
        child = spawn.Process(target=_suite_in_child, args=(self.config, self.verilog(fault)))
        child.start()
        child.join(TIME_LIMIT)
        if child.is_alive() and child.pid is not None:
            os.killpg(child.pid, signal.SIGKILL)
            child.join()
        return child.exitcode == 0

    def judge(self, fault: Any) -> Mutant:
        """Test one fault; returns the `Mutant` with its verdict."""
        if not self.passes_suite(fault):
            return Mutant(fault, "killed")
        design, proof = self.folder / "design.il", self.folder / "equivalence"
        equivalent = is_equivalent(self.module.name, design, fault, proof)
        return Mutant(fault, "equivalent" if equivalent else "survived")

    def hunt(self, count: int, seed: int) -> list[Mutant]:
        """Judge about `count` faults.

        Raises `JobError` if the suite fails without a fault, since it would kill every mutant.
        """
        if not self.passes_suite():
            raise JobError(f"{self.module.name}: the suite fails on the core without a fault")
        return [self.judge(fault) for fault in self.faults(count, seed)]

    def _yosys(self, script, log):
        run_tool("yosys", "-ql", log, "-p", script, cwd=self.folder)


def _suite_in_child(config, module):
    """Exit with 0 if `module` passes; in its own process group, so that all of it can be killed."""
    os.setsid()
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    with tempfile.TemporaryDirectory(prefix="spikeloom-mutant-") as folder:
        try:
            failures = run_suite(config, simulator="icarus", keep=folder, module=module).failures
        except JobError:
            failures = 1
    os._exit(1 if failures else 0)
