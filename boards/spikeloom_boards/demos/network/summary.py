"""What the demo of a network prints: figures, captions of the drawings, what the reader saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.link.protocol import DEFAULT_BAUD

from ...driver.line import LineLoad
from ...presets import core_clock
from ...rates import number, with_line
from ..result import MISMATCHES, DemoResult

if TYPE_CHECKING:
    from ...boards import Board
    from .measured import Measured

COLUMNS = {
    "picture": lambda run: run["picture"],
    "class": lambda run: run["class"],
    "true class": lambda run: run["true_class"],
    **MISMATCHES,
    "cycles": lambda run: f"{run['cycles']:,}",
    "simulated in": lambda run: f"{run['seconds']:.1f} s",
}
FILES = {
    "demo.html": "choose a picture in a browser and see its spikes flow layer by layer",
    "demo.md": "these figures and drawings on a page",
}
SCOPE = (
    "mismatches: logits and class of the RTL (in Verilator) that differ from the golden model; "
    "cycles: of the RTL, from start to the class, with the image on chip"
)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The figures of a demo as text.

    Members
    -------
    measured : Measured. runs : rows of the table, of images on the RTL. used : (what, used,
    available, per cent) of the resources of `board`.
    """

    measured: Measured
    runs: Sequence[dict[str, Any]]
    used: Sequence[tuple[str, int, int, float]]
    board: Board

    def result(self, folder: Path) -> DemoResult:
        """The result of the demo whose files are in `folder`."""
        core = self.measured.core
        return DemoResult(
            f"{core.NAME} classifies pictures of clothes",
            COLUMNS,
            list(self.runs),
            folder,
            files=self.captions | FILES,
            scope=SCOPE,
            figures=self.figures,
            facts=self.facts,
            saw=self.saw,
            after=self.after,
        )

    @property
    def after(self) -> str:
        """The command to try next."""
        return f"spikeloom build {self.measured.core.NAME} --board {self.board.id} -o out"

    @property
    def mhz(self) -> float:
        """The clock of the network on the board."""
        return core_clock(self.measured.core.NAME, self.board) / 1e6

    @property
    def rates(self) -> tuple[float, float]:
        """Images per second of the core, and with the host link at its default rate."""
        us = self.measured.mean_cycles / self.mhz
        load = LineLoad.of(self.measured.core, DEFAULT_BAUD)
        return 1e6 / us, 1e6 / with_line(self.measured.core, load, us)

    @property
    def mismatches(self) -> tuple[int, int]:
        """Outputs of the RTL that differ, and outputs compared."""
        wrong, total = ([run[what] for run in self.runs] for what in ("mismatches", "outputs"))
        return sum(wrong), sum(total)

    @property
    def figures(self) -> dict[str, Any]:
        """All figures, for JSON."""
        measured, (rate, line) = self.measured, self.rates
        return {
            "network": measured.core.NAME,
            "board": self.board.id,
            "pictures": len(measured.images),
            "right": measured.right,
            "accuracy": measured.right / len(measured.images),
            "mismatches": self.mismatches[0],
            "cycles": measured.mean_cycles,
            "cycles_maximum": measured.core.cycles(),
            "layer_cycles": {layer: float(one.mean()) for layer, one in measured.cycles.items()},
            "mhz": self.mhz,
            "images_per_second": rate,
            "images_per_second_with_the_line": line,
            "utilisation": [
                {"what": what, "used": one, "available": there} for what, one, there, _ in self.used
            ],
        }

    @property
    def facts(self) -> list[tuple[str, str]]:
        """All figures, for people."""
        measured, (rate, line), (wrong, outputs) = self.measured, self.rates, self.mismatches
        total = len(measured.images)
        resources = ", ".join(f"{one:,} of {there:,} {what}" for what, one, there, _ in self.used)
        return [
            (
                "accuracy",
                f"{100 * measured.right / total:.1f} %: {measured.right:,} of {total:,} pictures "
                "are right",
            ),
            ("mismatches", f"{wrong} of {outputs} outputs, RTL against golden model"),
            (
                "cycles an image",
                f"{measured.mean_cycles:,.0f}, mean of the first {measured.shown} pictures; "
                f"at most {measured.core.cycles():,}",
            ),
            (
                "images/s",
                f"{number(rate)} on the chip at {self.mhz:g} MHz, the preset's clock; "
                f"{number(line)} with a line of {DEFAULT_BAUD:,} baud",
            ),
            (
                self.board.device.name,
                f"at least {resources} (with the host link; synthesised, not placed)",
            ),
        ]

    @property
    def saw(self) -> tuple[str, str, str]:
        """What the reader saw, in three sentences."""
        measured, (wrong, outputs) = self.measured, self.mismatches
        total, core = len(measured.images), measured.core
        share = measured.mean_cycles / core.cycles()
        return (
            f"A spiking transformer of {core.GRAPH.weights:,} small integers named "
            f"{100 * measured.right / total:.0f} % of {total:,} pictures right, with additions "
            "only.",
            f"The hardware that runs it gave the same numbers as the NumPy model: {wrong} of "
            f"{outputs} outputs differ.",
            f"It works only for spikes, so an image takes {100 * share:.0f} % of the cycles of the "
            f"worst case: {number(self.rates[0])} images/s at {self.mhz:g} MHz, the preset's clock "
            f"on the {self.board.device.name}.",
        )

    @property
    def captions(self) -> dict[str, str]:
        """For each drawing: what it shows, what to look at, and what would be bad."""
        measured = self.measured
        wrong = int((measured.found != measured.labels)[: measured.shown].sum())
        return {
            "pictures.png": (
                f"The first {measured.shown} of the shipped pictures with the class that the "
                f"network gives. Look at the red frames: {wrong} classes are wrong. It would be "
                "bad if a wrong class were of clothes that look different."
            ),
            "spikes.png": (
                f"All spikes of all layers for picture {measured.example}. Look at the white: each "
                "spike that is missing saves additions. A layer that is all white or all black "
                "would be bad, because it tells nothing about the picture."
            ),
            "attention.png": (
                f"Where the patch with most contrast in picture {measured.example} looks, in each "
                "attention layer, head and time step. Look at how the red follows the shape of the "
                "object and differs between heads. The same red everywhere, or none, would be bad: "
                "all patches would then count alike."
            ),
            "cycles.png": (
                "Time of each layer on the engine, and the share of the "
                f"{self.board.device.name} that is used. Look at how far each bar stays below its "
                "maximum. A bar that fills its maximum would be bad, because it gains nothing from "
                "spikes; so would a resource above 100 %."
            ),
        }


def page(result: DemoResult) -> str:
    """The demo as a Markdown page: figures, then the drawings with their captions."""
    drawings = [
        f"{what}\n\n![{name.removesuffix('.png')}]({name})\n"
        for name, what in result.files.items()
        if name.endswith(".png")
    ]
    return "\n".join([result.markdown(), *drawings]) + result.ending
