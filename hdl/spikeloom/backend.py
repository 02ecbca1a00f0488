"""Running cores: what a backend is, what a run gives, and how two results are compared."""

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

    outputs : tensor of each output stream by name, as the golden model shapes it.
    timing : the cycles, or a function that computes them when they are first asked for.
    flags : value of each status output after the run (of the golden model: those it models).
    seconds : that the backend took over it, building not included.
    mismatches : output elements that differ from the golden model's; None where none was asked.
    """

    outputs: dict[str, NDArray]
    timing: Any = None
    flags: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    mismatches: int | None = None

    @cached_property
    def cycles(self) -> Any:
        """Cycles from start to the last output beat: simulated or counted by the hardware; of the
        golden model, by the core's formula. A number, or an array where `Run` is of many runs."""
        return self.timing() if callable(self.timing) else self.timing


class Backend(Protocol):
    """Where a core runs: its golden model, its RTL or netlist in a simulator, or a board.

    Backends are found by name through the entry-point group ``spikeloom.backends``.
    """

    name: str

    def run(self, core: Core, batch: Sequence[Operands], progress: Progress = silent) -> list[Run]:
        """Runs of `batch`, one after the other, run n with ``core.seeded(n)``.

        `progress` is called with the runs done and how many there are. Raises `JobError` where the
        backend fails.
        """
        ...


def find_backend(name: str, **options: Any) -> Backend:
    """The backend called `name`, made with `options`."""
    entries = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in entries:
        raise unknown("backend", name, entries)
    return entries[name].load()(**options)


@dataclass(frozen=True)
class Golden:
    """Backend `golden`: the NumPy model, on all processors where that is faster.

    `jobs` : processes at most (default: one for each processor).
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
    """Set `mismatches` of each of `runs` against the golden model's; returns their sum."""
    for run, golden in zip(runs, expected, strict=True):
        run.mismatches = sum(
            int((run.outputs[name] != output).sum()) for name, output in golden.outputs.items()
        )
    return sum(run.mismatches or 0 for run in runs)


def require_equal(core: Core, runs: Sequence[Run], expected: Sequence[Run]) -> None:
    """Compare, and raise `JobError` where any element differs."""
    wrong = compare(runs, expected)
    if wrong:
        total = sum(output.size for run in runs for output in run.outputs.values())
        raise JobError(f"{core.NAME}: {wrong} of {total} outputs differ from the golden model")
