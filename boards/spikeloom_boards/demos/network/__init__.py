"""The demo of a network: a shipped network classifies pictures, on golden model and RTL."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from spikeloom.backend import golden_run, require_equal
from spikeloom.errors import InputError, JobError
from spikeloom.networks.evaluation import check_images
from spikeloom.networks.finding import network_names
from spikeloom.networks.graph import INPUT
from spikeloom.outputs import output_folder
from spikeloom_models.data import fashion_sample
from spikeloom_sim.backends import RTL

from ...boards import find_board
from ...build import Build, synthesise_in
from ...fit import resources
from ...presets import core_clock, preset_config
from .. import Demo
from .flow import flow_page
from .measured import Measured
from .plots import draw_attention, draw_cycles, draw_pictures, draw_spikes
from .summary import Summary, page

if TYPE_CHECKING:
    from spikeloom.networks.network import Network

    from ...boards import Board
    from ..result import DemoResult

NETWORK = "fashion-spikformer"
BOARD = "icebreaker"
DPI = 130  # of the drawings
SHOWN = 24  # pictures that are drawn
SIMULATED = 3  # of them, on the RTL


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
        drawings = {
            "pictures": draw_pictures(measured),
            "spikes": draw_spikes(measured),
            "attention": draw_attention(measured),
            "cycles": draw_cycles(measured, used, board.device.name),
        }
        for name, figure in drawings.items():
            figure.savefig(staging / f"{name}.png", dpi=DPI)
        summary = Summary(measured=measured, runs=runs, used=used, board=board)
        result = summary.result(folder)
        (staging / "demo.md").write_text(page(result))
        flow = flow_page(measured, summary.saw, summary.after)
        (staging / "demo.html").write_text(flow, encoding="utf-8")
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
