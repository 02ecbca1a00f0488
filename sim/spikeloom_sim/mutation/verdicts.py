"""Judges every mutant of a configuration, in parallel, and goes on where a break left it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.backend import Progress, silent
from spikeloom.errors import InputError, JobError

from ..formal.equivalence import is_equivalent
from .checks import Suite, Testbench
from .design import MutantDesign

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.outputs import GrowingFolder

TESTBENCH, SUITE = "killed by the testbench", "killed by the suite"
EQUIVALENT, SURVIVED = "equivalent", "survived"
VERDICTS = (TESTBENCH, SUITE, EQUIVALENT, SURVIVED)


@dataclass(frozen=True)
class Mutant:
    """A fault, as a ``mutate`` command of Yosys, with one of `VERDICTS`.

    "survived": the mutant passes both checks and could not be proved equivalent.
    """

    number: int
    fault: str
    verdict: str


@dataclass(frozen=True)
class Hunt:
    """The mutants of one configuration of a core. `seconds`: of this call, without a break's."""

    name: str
    mutants: Sequence[Mutant]
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        """Number of mutants of each of `VERDICTS`."""
        counted = Counter(mutant.verdict for mutant in self.mutants)
        return {verdict: counted[verdict] for verdict in VERDICTS}

    @property
    def killed_share(self) -> float:
        """Share of killed ones among the mutants that are not proved equivalent."""
        counts = self.counts
        other = len(self.mutants) - counts[EQUIVALENT]
        return (counts[TESTBENCH] + counts[SUITE]) / other if other else 1.0

    @property
    def survivors(self) -> list[Mutant]:
        return [mutant for mutant in self.mutants if mutant.verdict == SURVIVED]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"counts": self.counts, "killed_share": self.killed_share}


def mutant_configs(core: type[Core]) -> dict[str, Core]:
    """The configurations of `core` whose mutants the tests are to notice, by name."""
    settings = core.MUTANTS or core.CASES
    return {name: core.from_settings(keys) for name, keys in settings.items()}


def hunt(
    config: Core,
    name: str,
    count: int,
    seed: int,
    *,
    jobs: int = 1,
    kept: GrowingFolder | None = None,
    progress: Progress = silent,
) -> Hunt:
    """Judge about `count` mutants of a configuration called `name`, `jobs` at a time.

    With a folder `kept`, verdicts are written to it and those of an earlier call are taken over.

    Raises `JobError` if a check fails without a fault, as it would kill every mutant, and
    `InputError` if `kept` holds verdicts about another design.
    """
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="spikeloom-mutants-"))
    try:
        design = MutantDesign(config, folder, count, seed)
        record = _Record(design, name, kept)
        waiting = [n for n in range(1, len(design.faults) + 1) if n not in record.verdicts]
        if waiting:
            _judge(design, waiting, record, jobs, progress)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    mutants = [Mutant(n, fault, record.verdicts[n]) for n, fault in enumerate(design.faults, 1)]
    return Hunt(name, mutants, time.monotonic() - begun)


def _judge(
    design: MutantDesign, waiting: list[int], record: _Record, jobs: int, progress: Progress
) -> None:
    """The quick check on all, the thorough one on those that pass it, and proofs for the rest."""

    def equivalent(number: int) -> bool:
        proof = design.folder / f"proof-{number}"
        fault = design.faults[number - 1]
        design_il = design.folder / "design.il"
        return is_equivalent(design.original, design_il, fault, proof, design.attached)

    total = len(design.faults)
    for verdict, make in ((TESTBENCH, Testbench), (SUITE, Suite)):
        if not waiting:
            return
        check = make(design)
        if not check.passes(0):
            raise JobError(
                f"{record.name}: the {make.__name__.lower()} fails on the core without a fault"
            )
        passed = []
        for number, passes in _each(check.passes, waiting, jobs):
            if passes:
                passed.append(number)
            else:
                record.add(number, verdict)
                progress(len(record.verdicts), total)
        waiting = passed
    for number, proved in _each(equivalent, waiting, jobs):
        record.add(number, EQUIVALENT if proved else SURVIVED)
        progress(len(record.verdicts), total)


def _each(
    check: Callable[[int], bool], numbers: Iterable[int], jobs: int
) -> Iterable[tuple[int, bool]]:
    """The numbers with their results, as these come."""
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(check, number): number for number in numbers}
        try:
            for done in as_completed(running):
                yield running[done], done.result()
        finally:
            for future in running:
                future.cancel()


class _Record:
    """The verdicts by number, written to a folder after some seconds and at the end."""

    PERIOD = 10.0

    def __init__(self, design: MutantDesign, name: str, kept: GrowingFolder | None) -> None:
        self.name = name
        self.verdicts: dict[int, str] = {}
        self._kept = kept
        self._total = len(design.faults)
        self._file = f"{name.translate(str.maketrans({':': '', ' ': '-', ',': '', '/': '-'}))}.json"
        text = design.original.text + "\n".join(design.faults)
        self._digest = hashlib.sha256(text.encode()).hexdigest()
        self._written = time.monotonic()
        before = kept.read(self._file) if kept else None
        if before is not None:
            self._take(json.loads(before))

    def _take(self, before: dict) -> None:
        if before["digest"] != self._digest:
            assert self._kept is not None
            raise InputError(
                f"{self._kept.path / self._file} is of another version, count or seed; give a new "
                "folder"
            )
        self.verdicts = {int(number): verdict for number, verdict in before["verdicts"].items()}

    def add(self, number: int, verdict: str) -> None:
        self.verdicts[number] = verdict
        now = time.monotonic()
        done = len(self.verdicts) == self._total
        if self._kept and (done or now - self._written > self.PERIOD):
            verdicts = {str(n): self.verdicts[n] for n in sorted(self.verdicts)}
            text = json.dumps({"digest": self._digest, "verdicts": verdicts}, indent=1)
            self._kept.write(self._file, text + "\n")
            self._written = now
