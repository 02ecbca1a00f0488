"""Measures what the tests of a configuration cover."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.environment import child_environment
from spikeloom.errors import JobError
from spikeloom.export.files import write_files
from spikeloom.export.verilog import to_verilog

from ..mutation.checks import long_bench_files
from ..regression import run_suite
from ..simulators import Verilator
from ..simulators.verilator import COVERAGE_FILE
from .bins import with_bins
from .constants import constants
from .points import KINDS, Point, read_points
from .reasons import reason_for
from .states import settled_nets

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.export.verilog import VerilogModule


@dataclass(frozen=True)
class Coverage:
    """What the tests of a configuration reach.

    counts : of each point, how often it was reached.
    unreachable : of points that were not, why they cannot be.
    """

    name: str
    counts: dict[Point, int]
    unreachable: dict[Point, str]
    seconds: float

    @property
    def missed(self) -> list[Point]:
        """Points that were not reached, and of which no one knows why."""
        return [p for p, n in self.counts.items() if not n and p not in self.unreachable]

    def totals(self, kind: str) -> tuple[int, int, int]:
        """Points of a kind: reached, unreachable, missed."""
        points = [point for point in self.counts if point.kind == kind]
        reached = sum(self.counts[point] > 0 for point in points)
        unreachable = sum(point in self.unreachable for point in points)
        return reached, unreachable, len(points) - reached - unreachable

    def as_dict(self) -> dict[str, Any]:
        titles = ("reached", "unreachable", "missed")
        reasons: dict[str, list[str]] = {}
        for point, why in self.unreachable.items():
            reasons.setdefault(why, []).append(str(point))
        return {
            "name": self.name,
            "totals": {kind: dict(zip(titles, self.totals(kind), strict=True)) for kind in KINDS},
            "missed": [{"kind": point.kind, "point": str(point)} for point in self.missed],
            "unreachable": reasons,
        }


def measure(config: Core, name: str, folder: Path | None = None) -> Coverage:
    """Run testbench and suite of a configuration called `name`, and count what they reach.

    A `folder` keeps the built simulations. Raises `JobError` if a test fails, or a point that
    `reasons` calls unreachable was reached.
    """
    begun = time.monotonic()
    work = Path(folder or tempfile.mkdtemp(prefix="spikeloom-coverage-"))
    try:
        plain = to_verilog(config)
        module, bins = with_bins(config, plain)
        counts: Counter[Point] = Counter()
        for run in (_testbench, _suite):
            data, file = run(config, module, work)
            for point, count in read_points(data, file, module.text, bins).items():
                counts[point] += count
        left = [point for point, count in counts.items() if not count]
        unreachable = _proved(plain, left, work / "constants")
    finally:
        if not folder:
            shutil.rmtree(work, ignore_errors=True)
    for point, count in counts.items():
        why = reason_for(config, point)
        if why and count:
            raise JobError(f"{name}: reached, although it is called unreachable: {point}")
        if why and point not in unreachable:
            unreachable[point] = why
    return Coverage(name, dict(counts), unreachable, time.monotonic() - begun)


def _testbench(config: Core, module: VerilogModule, folder: Path) -> tuple[Path, str]:
    """Coverage of the testbench that `generate` writes, with the runs that mutants get."""
    write_files(folder, long_bench_files(config, module))
    bench, top = folder / "testbench", f"{module.name}_tb"
    (bench / f"{module.name}.v").write_text(module.text)
    Verilator.build_testbench(bench, top, [f"{top}.v", f"{module.name}.v"], coverage=True)
    done = subprocess.run(
        [bench / "obj_dir" / f"V{top}"],
        **{"cwd": bench, "env": child_environment(), "capture_output": True, "text": True},
    )
    if done.returncode:
        raise JobError(f"the testbench of {config.NAME} fails: {done.stdout[-300:]}")
    return bench / COVERAGE_FILE, f"{module.name}.v"


def _suite(config: Core, module: VerilogModule, folder: Path) -> tuple[Path, str]:
    """Coverage of the cocotb suite."""
    result = run_suite(config, keep=folder / "suite", module=module, coverage=True)
    if result.failures:
        raise JobError(f"{result.failures} tests of the suite of {config.NAME} fail")
    return folder / "suite" / COVERAGE_FILE, f"{module.name}.v"


def _proved(module: VerilogModule, points: Sequence[Point], folder: Path) -> dict[Point, str]:
    """Points that need a value which a net provably never has."""
    nets = {(point.module, point.net) for point in points if point.net}
    found: dict[Point, str] = {}
    for prove, how in (
        (constants, "signal correspondence"),
        (settled_nets, "all states of its module"),
    ):
        known = prove(module, nets, folder)
        nets -= known.keys()
        for point in points:
            value = known.get((point.module, point.net or ""))
            # A net that never changes has no toggle at all.
            if value is not None and (point.kind == "toggle" or value != point.value):
                what = "bit" if point.kind == "toggle" else "condition"
                found[point] = f"a {what} that provably never changes ({how})"
    return found
