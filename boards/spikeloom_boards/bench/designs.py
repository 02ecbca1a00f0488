"""The designs of the bench, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikeloom.contract import BenchRow, Core
from spikeloom.cores import all_cores
from spikeloom.errors import InputError
from spikeloom.families import Part, find_part


@dataclass(frozen=True)
class Design:
    """A row of the bench: a core in one configuration on one device."""

    core: type[Core]
    row: BenchRow

    @property
    def name(self) -> str:
        return f"{self.core.NAME}/{self.row.engine}/{self.row.unroll}/{self.row.device}"

    @property
    def config(self) -> Core:
        return self.core.from_settings(self.row.settings)

    @property
    def device(self) -> str:
        return self.row.device

    @property
    def part(self) -> Part:
        """The device in the first of its packages and speed grades."""
        return find_part(self.device)


def designs() -> list[Design]:
    """Every row of every core; without rows, its first regression case on an ECP5."""
    result = []
    for core in all_cores().values():
        rows = core.BENCH
        if not rows:
            case = next(iter(core.CASES.values()), {})
            rows = (BenchRow("default", "default", "ecp5-25f", case, default=False),)
        result += [Design(core, row) for row in rows]
    return result


def choose(only: Sequence[str] = (), full: bool = False) -> list[Design]:
    """Designs whose names contain any text of `only`; if it is empty, the default ones or all.

    Raises `InputError` if no design matches.
    """
    if not only:
        return [design for design in designs() if full or design.row.default]
    chosen = [design for design in designs() if any(text in design.name for text in only)]
    if not chosen:
        names = ", ".join(design.name for design in designs())
        raise InputError(f"--only {' '.join(only)}: no row's name contains it; rows: {names}")
    return chosen
