"""The demo of a network: a shipped network classifies pictures, on golden model and RTL."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from spikeloom.backend import golden_run, require_equal
from spikeloom.errors import InputError, JobError
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom.networks.evaluation import check_images
from spikeloom.networks.finding import network_names
from spikeloom.networks.graph import INPUT
from spikeloom.outputs import output_folder
from spikeloom_models.data import fashion_sample
from spikeloom_sim.backends import RTL

from ...boards import find_board
from ...build import Build, synthesise_in
from ...driver.line import LineLoad
from ...fit import resources
from ...presets import core_clock, preset_config
from ...rates import number, with_line
from .. import Demo
from ..result import MISMATCHES, DemoResult
from .measured import Measured
from .plots import plot_attention, plot_cycles, plot_pictures, plot_rasters

if TYPE_CHECKING:
    from spikeloom.networks.network import Network

    from ...boards import Board

NETWORK = "fashion-spikformer"
BOARD = "icebreaker"
SHOWN = 24  # pictures that are drawn
SIMULATED = 3  # of them, on the RTL

COLUMNS = {
    "picture": lambda run: run["picture"],
    "class": lambda run: run["class"],
    "true class": lambda run: run["true_class"],
    **MISMATCHES,
    "cycles": lambda run: f"{run['cycles']:,}",
    "simulated in": lambda run: f"{run['seconds']:.1f} s",
}
SCOPE = (
    "mismatches: logits and class of the RTL (in Verilator) that differ from the golden model; "
    "cycles: of the RTL, from start to the class, with the image on chip"
)


def shipped_network(board: Board) -> Network:
    """The shipped network as the preset of a board. Raises `InputError` if it is missing."""
    if NETWORK not in network_names():
        raise InputError(
            f"network {NETWORK} is missing from this installation; install Spikeloom again, or see "
            "another demo (spikeloom demo --help)"
        )
    return cast("Network", preset_config(NETWORK, board))


def run_demo(folder: Path, progress: Callable[[str], None]) -> DemoResult:
    """Run the demo and write its files to `folder`; returns a `DemoResult`."""
    board = find_board(BOARD)
    core, sample = shipped_network(board), fashion_sample()
    images = check_images(core, sample.images, "the shipped pictures")
    with output_folder(folder, "demo network") as staging:
        progress(f"classify {len(images):,} pictures")
        measured = Measured.of(core, images, sample.labels, SHOWN)
        progress(f"simulate {SIMULATED} pictures")
        runs = simulate(measured)
        used = utilisation(core, board, progress)
        progress("draw")
        plot_pictures(measured, staging / "pictures.png")
        plot_rasters(measured, staging / "spikes.png")
        plot_attention(measured, staging / "attention.png")
        plot_cycles(measured, used, board.device.name, staging / "cycles.png")
        result = summary(measured, runs, used, board, folder)
        (staging / "demo.md").write_text(page(result))
    return result


DEMO = Demo(run_demo, steps=5)


def simulate(measured: Measured) -> list[dict[str, Any]]:
    """Run the first images on the RTL; returns rows of the demo's table.

    Raises `JobError` if an output or the number of cycles is not that of the golden model.
    """
    core = measured.core
    batch = [{INPUT: image} for image in measured.images[:SIMULATED]]
    runs = RTL().run(core, batch)
    require_equal(core, runs, [golden_run(core, operands) for operands in batch])
    for n, run in enumerate(runs):
        if run.cycles != measured.image_cycles[n]:
            raise JobError(
                f"{core.NAME}: picture {n} takes {run.cycles} cycles on the RTL, and "
                f"{measured.image_cycles[n]} by the engine's formula"
            )
    classes = core.GRAPH.classes
    return [
        {
            "picture": n,
            "class": classes[int(run.outputs["label"])],
            "true_class": classes[measured.labels[n]],
            "mismatches": run.mismatches,
            "outputs": sum(output.size for output in run.outputs.values()),
            "cycles": run.cycles,
            "seconds": run.seconds,
        }
        for n, run in enumerate(runs)
    ]


def utilisation(
    core: Network, board: Board, progress: Callable[[str], None]
) -> list[tuple[str, int, int, float]]:
    """(what, used, available, per cent) of the board's resources, by synthesis of the network with
    its host link."""
    job = Build(core, board, core_clock(core.NAME, board), top="link")
    with tempfile.TemporaryDirectory(prefix="spikeloom-demo-") as scratch:
        synthesis = synthesise_in(Path(scratch), job, progress)
    rows = resources(synthesis, board.device)
    return [(what, used, there, 100 * used / there) for what, used, there in rows if there]


def summary(
    measured: Measured, runs: list[dict[str, Any]], used: list, board: Board, folder: Path
) -> DemoResult:
    """The result of the demo: figures, what each file shows, and what the reader saw."""
    core, total = measured.core, len(measured.images)
    mhz = core_clock(core.NAME, board) / 1e6
    cycles, most = measured.mean_cycles, core.cycles()
    rate = 1e6 / (cycles / mhz)
    line = 1e6 / with_line(core, LineLoad.of(core, DEFAULT_BAUD), cycles / mhz)
    wrong = sum(run["mismatches"] for run in runs)
    outputs = sum(run["outputs"] for run in runs)
    accuracy = measured.right / total
    figures = {
        "network": core.NAME,
        "board": board.id,
        "pictures": total,
        "right": measured.right,
        "accuracy": accuracy,
        "mismatches": wrong,
        "cycles": cycles,
        "cycles_maximum": most,
        "layer_cycles": {layer: float(one.mean()) for layer, one in measured.cycles.items()},
        "mhz": mhz,
        "images_per_second": rate,
        "images_per_second_with_the_line": line,
        "utilisation": [
            {"what": what, "used": one, "available": there} for what, one, there, _ in used
        ],
    }
    facts = [
        ("accuracy", f"{measured.right:,} of {total:,} pictures are right ({accuracy:.1%})"),
        ("mismatches", f"{wrong} of {outputs} outputs, RTL against golden model"),
        (
            "cycles an image",
            f"{cycles:,.0f}, mean of the first {measured.shown} pictures; at most {most:,}",
        ),
        (
            "images/s",
            f"{number(rate)} on the chip at {mhz:g} MHz; {number(line)} with a line of "
            f"{DEFAULT_BAUD:,} baud",
        ),
        *((what, f"{one:,} of {there:,} ({share:.0f} %)") for what, one, there, share in used),
        ("", f"{board.id}, {board.device.name}: by synthesis, before place and route"),
    ]
    return DemoResult(
        f"{core.NAME} classifies pictures of clothes",
        COLUMNS,
        runs,
        folder,
        files=captions(measured, board) | {"demo.md": "these figures and pictures on a page"},
        scope=SCOPE,
        figures=figures,
        facts=facts,
        saw=(
            f"A spiking transformer of {core.GRAPH.weights:,} small integers named "
            f"{accuracy:.0%} of {total:,} pictures right, with additions only.",
            f"The hardware that runs it gave the same numbers as the NumPy model: {wrong} of "
            f"{outputs} outputs differ.",
            f"It works only for spikes, so an image takes {cycles / most:.0%} of the cycles of the "
            f"worst case: {number(rate)} images/s on the {board.device.name} at {mhz:g} MHz.",
        ),
        after=f"spikeloom build {core.NAME} --board {board.id} -o out",
    )


def captions(measured: Measured, board: Board) -> dict[str, str]:
    """For each picture: what it shows, what to look at, and what would be bad."""
    right = int((measured.found == measured.labels)[: measured.shown].sum())
    return {
        "pictures.png": (
            f"The first {measured.shown} of the shipped pictures with the class that the network "
            f"gives. Look at the red frames: {measured.shown - right} classes are wrong. It would "
            "be bad if a wrong class were of clothes that look different."
        ),
        "spikes.png": (
            f"All spikes of all layers for picture {measured.example}. Look at the white: each "
            "spike that is missing saves additions. A layer that is all white or all black would "
            "be bad, because it tells nothing about the picture."
        ),
        "attention.png": (
            f"Where the patch with most contrast in picture {measured.example} looks, in each "
            "attention layer, head and time step. Look at how the red follows the shape of the "
            "object and differs between heads. The same red everywhere, or none, would be bad: all "
            "patches would then count alike."
        ),
        "cycles.png": (
            f"Time of each layer on the engine, and the share of the {board.device.name} that is "
            "used. Look at how far each bar stays below its maximum. A bar that fills its maximum "
            "would be bad, because it gains nothing from spikes; so would a resource above 100 %."
        ),
    }


def page(result: DemoResult) -> str:
    """The demo as a Markdown page: figures, then the pictures with their captions."""
    pictures = [
        f"{what}\n\n![{name.removesuffix('.png')}]({name})\n"
        for name, what in result.files.items()
        if name.endswith(".png")
    ]
    return "\n".join([result.markdown(), *pictures])
