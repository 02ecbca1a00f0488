"""What every demo gives back, and how a demo runs a core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.backend import golden_run, require_equal
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom_sim.backends import RTL

from ..driver.line import LineLoad

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.contract import Core

    from ..report import Report


@dataclass
class DemoResult:
    """What a demo measured, and the files it wrote.

    `runs` has a dict for each run, `columns` what to print of it: header to function of the run.
    `files` tells what each file shows, by its name in `folder`; `report` is that of the bitstream,
    where one was built.
    """

    title: str
    columns: dict
    runs: list
    folder: Path
    files: dict = field(default_factory=dict)
    report: Report | None = None

    def as_dict(self) -> dict[str, Any]:
        """Everything, for machines."""
        summary = {
            "runs": self.runs,
            "files": {str(Path(self.folder) / name): what for name, what in self.files.items()},
        }
        return summary | ({"build": self.report.as_dict()} if self.report else {})

    @property
    def scope(self) -> str:
        """What the figures count, in words."""
        return SCOPE

    def rows(self) -> list[list[str]]:
        """A row of text for each run."""
        return [[str(show(run)) for show in self.columns.values()] for run in self.runs]

    def markdown(self) -> str:
        """Title and figures as Markdown."""
        head = [f"# {self.title}", ""]
        table = [list(self.columns), ["---"] * len(self.columns), *self.rows()]
        lines = [*head, *("| " + " | ".join(row) + " |" for row in table), "", SCOPE]
        return "\n".join(lines) + "\n"


@dataclass
class DemoRun:
    """One run through the RTL: its `output`, equal to the golden model's, and what it took."""

    output: NDArray
    cycles: int
    golden_seconds: float
    build_seconds: float
    seconds: float
    line_us: float  # on the host link, beside what the core takes

    def summary(self) -> dict[str, Any]:
        """The measured figures, for a row of a `DemoResult`."""
        return {
            "mismatches": 0,
            "outputs": self.output.size,
            "cycles": self.cycles,
            "golden_seconds": self.golden_seconds,
            "build_seconds": self.build_seconds,
            "seconds": self.seconds,
            "line_us": self.line_us,
        }


def run_checked(core: Core, operands: Mapping[str, NDArray]) -> DemoRun:
    """Golden model and RTL on one run's operands: a `DemoRun`.

    Raises `JobError` where a single output differs.
    """
    expected = golden_run(core, operands)
    rtl = RTL()
    (run,) = rtl.run(core, [operands])
    require_equal(core, [run], [expected])
    return DemoRun(
        run.outputs["o"],
        run.cycles,
        expected.seconds,
        rtl.build_seconds,
        run.seconds,
        LineLoad.of(core, DEFAULT_BAUD).us,
    )


MISMATCHES = {"mismatches": lambda run: f"{run['mismatches']} of {run['outputs']}"}
CLOCKS = {
    "core cycles": lambda run: f"{run['cycles']:,}",
    "line": lambda run: f"{run['line_us'] / 1e3:,.1f} ms",
    "simulated in": lambda run: f"{run['seconds']:.1f} s",
}
SCOPE = (
    "core cycles: from start to the last output beat, operands on chip as far as they fit, "
    "encoding included; line: what one attention takes on the host link besides, at "
    f"{DEFAULT_BAUD:,} baud"
)
