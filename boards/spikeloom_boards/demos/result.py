"""Results of a demo, and a function that runs a core for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


MISMATCHES = {"mismatches": lambda run: f"{run['mismatches']} of {run['outputs']}"}
CYCLES = {
    "core cycles": lambda run: f"{run['cycles']:,}",
    "line": lambda run: f"{run['line_us'] / 1e3:,.1f} ms",
    "simulated in": lambda run: f"{run['seconds']:.1f} s",
}
SCOPE = (
    "core cycles: from start to the last output beat, with as many operands preloaded as fit, "
    "including encoding; line: additional time per attention on the host link at "
    f"{DEFAULT_BAUD:,} baud"
)


@dataclass
class DemoResult:
    """The measurements of a demo and the files it wrote.

    `runs` has a dict per run; `columns` maps a table header to a function of the run; `scope` says
    what the figures of the table include. `figures` are measurements of all runs together, for
    JSON, and `facts` the same as (name, text) for people. `files` maps names in `folder` to
    descriptions; `report` is the report of the bitstream, if one was built. `saw` are sentences for
    the end, and `after` is the command to try next.
    """

    title: str
    columns: dict
    runs: list
    folder: Path
    files: dict = field(default_factory=dict)
    report: Report | None = None
    scope: str = SCOPE
    figures: dict = field(default_factory=dict)
    facts: list = field(default_factory=list)
    saw: Sequence[str] = ()
    after: str = ""

    @property
    def ending(self) -> str:
        """What the reader saw and the command to try next, as Markdown."""
        return "\n".join(["", "## What you saw", "", *self.saw, "", f"Next: `{self.after}`", ""])

    def as_dict(self) -> dict[str, Any]:
        """All results, for JSON."""
        summary = {
            **self.figures,
            "runs": self.runs,
            "files": {str(Path(self.folder) / name): what for name, what in self.files.items()},
        }
        return summary | ({"build": self.report.as_dict()} if self.report else {})

    def rows(self) -> list[list[str]]:
        """A row of text for each run."""
        return [[str(show(run)) for show in self.columns.values()] for run in self.runs]

    def markdown(self) -> str:
        """The title, the table and the facts as Markdown."""
        head = [f"# {self.title}", ""]
        table = [list(self.columns), ["---"] * len(self.columns), *self.rows()]
        lines = [*head, *("| " + " | ".join(row) + " |" for row in table), "", self.scope]
        if self.facts:
            lines += ["", *(f"* {name}: {text}" for name, text in self.facts)]
        return "\n".join(lines) + "\n"


@dataclass
class DemoRun:
    """One run of the RTL: its `output`, equal to the golden model's, cycles and times."""

    output: NDArray
    cycles: int
    golden_seconds: float
    build_seconds: float
    seconds: float
    line_us: float  # on the host link, in addition to the time of the core

    def summary(self) -> dict[str, Any]:
        """The measurements, for a row of a `DemoResult`."""
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
    """Run the golden model and the RTL on the operands of one run; returns a `DemoRun`.

    Raises `JobError` if any output differs.
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
