"""Running cores: the backend interface, the result of a run, and the comparison of results."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

from .contract import Core
from .errors import JobError, unknown
from .footprint import check_golden

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENTRY_POINTS = "spikeloom.backends"
PARALLEL_SECONDS = 4.0  # expected length of a golden batch that is worth a pool of processes

Operands = Mapping[str, "NDArray"]
Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


@dataclass
class Run:
    """One run of a core.

    outputs : tensor of each output stream by name, in the shape that the golden model gives it.
    timing : the cycles, or a function that computes them on first use.
    flags : value of each status output after the run (golden model: only those it models).
    seconds : run time of the backend, without building.
    mismatches : output elements that differ from the golden model; None if not compared.
    """

    outputs: dict[str, NDArray]
    timing: Any = None
    flags: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    mismatches: int | None = None

    @cached_property
    def cycles(self) -> Any:
        """Cycles from start to the last output beat, simulated, counted by the hardware, or, for
        the golden model, calculated by the core's formula. A number, or an array for several
        runs."""
        return self.timing() if callable(self.timing) else self.timing


class Backend(Protocol):
    """Where a core runs: its golden model, its RTL or netlist in a simulator, or a board.

    The entry-point group ``spikeloom.backends`` lists the backends by name.
    """

    name: str

    def run(self, core: Core, batch: Sequence[Operands], progress: Progress = silent) -> list[Run]:
        """Run the operands of `batch` one after the other, run n with ``core.seeded(n)``.

        `progress` is called with the number of completed runs and the total. Raises `JobError` if
        the backend fails.
        """
        ...


def find_backend(name: str, **options: Any) -> Backend:
    """The backend called `name`, constructed with `options`."""
    entries = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in entries:
        raise unknown("backend", name, entries)
    return entries[name].load()(**options)


@dataclass(frozen=True)
class Golden:
    """Backend `golden`: the NumPy model, on all processors if that is faster.

    `jobs` : maximum number of processes (default: one per processor).
    """

    jobs: int | None = None
    name = "golden"

    def run(self, core: Core, batch: Sequence[Operands], progress: Progress = silent) -> list[Run]:
        check_golden(core)
        runs: list[Run] = []
        begun = time.monotonic()
        for run in self._runs(core, batch):
            runs.append(run)
            progress(len(runs), len(batch))
            left = (time.monotonic() - begun) / len(runs) * (len(batch) - len(runs))
            if left > PARALLEL_SECONDS and (self.jobs or os.cpu_count() or 1) > 1:
                break
        for run in self._parallel(core, batch[len(runs) :], len(runs)):
            runs.append(run)
            progress(len(runs), len(batch))
        return runs

    def _runs(self, core: Core, batch: Sequence[Operands]) -> Iterator[Run]:
        return (golden_run(core.seeded(n), operands) for n, operands in enumerate(batch))

    def _parallel(self, core: Core, batch: Sequence[Operands], first: int) -> Iterator[Run]:
        if not batch:
            return iter(())
        from joblib import Parallel, delayed

        jobs = (
            delayed(golden_run)(core.seeded(first + n), operands)
            for n, operands in enumerate(batch)
        )
        runs: Any = Parallel(self.jobs or -1, return_as="generator")(jobs)  # joblib has no types
        return iter(runs)


def golden_run(core: Core, operands: Operands) -> Run:
    """One run of the golden model."""
    begun = time.monotonic()
    results = core.golden(**operands)
    flags = {name: int(results.pop(name)) for name in core.flags if name in results}
    seconds = time.monotonic() - begun
    return Run(results, partial(core.cycles, **operands), flags, seconds)


def compare(runs: Sequence[Run], expected: Sequence[Run]) -> int:
    """Set `mismatches` of each of `runs` by comparison with `expected`; returns their sum."""
    for run, golden in zip(runs, expected, strict=True):
        run.mismatches = sum(
            int((run.outputs[name] != output).sum()) for name, output in golden.outputs.items()
        )
    return sum(run.mismatches or 0 for run in runs)


def require_equal(core: Core, runs: Sequence[Run], expected: Sequence[Run]) -> None:
    """Compare, and raise `JobError` if any element differs."""
    wrong = compare(runs, expected)
    if wrong:
        total = sum(output.size for run in runs for output in run.outputs.values())
        raise JobError(f"{core.NAME}: {wrong} of {total} outputs differ from the golden model")
