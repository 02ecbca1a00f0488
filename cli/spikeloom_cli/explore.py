"""`spikeloom explore`: a design space and its Pareto front."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spikeloom.cores import find_core
from spikeloom.errors import InputError, InterruptionError
from spikeloom.networks.evaluation import check_images, check_labels
from spikeloom.networks.evaluation import evaluate as run_evaluation
from spikeloom.networks.network import Network
from spikeloom.outputs import GrowingFolder
from spikeloom_boards.technologies import DEFAULT, find_technology

from . import completion
from .estimate import DEFAULT_BOARD
from .evaluate import load
from .options import (
    Assignments,
    ConfigFile,
    CoreName,
    Densities,
    Json,
    Place,
    Seeds,
    TechnologyName,
    console,
    count_display,
    densities_of,
    place_seeds,
    print_json,
    settings_of,
)
from .tables import print_table


def explore(
    core: CoreName,
    over: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=A,B,...",
            help="Values of a key; repeatable, all combinations are taken.",
            autocompletion=completion.assignments,
        ),
    ],
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DEVICE",
            help=f"FPGA; repeatable (default: that of {DEFAULT_BOARD}).",
            autocompletion=completion.devices,
        ),
    ] = None,
    config: ConfigFile = None,
    set_: Assignments = None,
    technology: TechnologyName = DEFAULT,
    density: Densities = None,
    place: Place = False,
    seeds: Seeds = 1,
    images: Annotated[
        Path | None,
        typer.Option(metavar="X.npy", help="Images for the accuracy of a network."),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="Y.npy", help="Classes of the images.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=999, help="Processes (default: number of processors)."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Compute on the cluster of this dask scheduler instead."
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder to write, or to go on with."),
    ] = Path("spikeloom-explore"),
    json: Json = False,
) -> None:
    """Sweep a design space: cells, time and energy of each design, and their Pareto front.

    Finished designs are kept in the output folder; the same command goes on after a break.
    """
    from spikeloom_boards.boards import find_board
    from spikeloom_boards.explore.front import picture, to_csv, to_json, with_front
    from spikeloom_boards.explore.space import read_over, space
    from spikeloom_boards.explore.sweep import COMMAND, sweep
    from spikeloom_boards.report_html import explore_page

    find_technology(technology)
    shares = densities_of(density)
    points, refused = space(
        core,
        device or [find_board(DEFAULT_BOARD).part.id],
        settings_of(config, set_),
        read_over(over),
        technology=technology,
        densities=shares,
        place_seeds=place_seeds(place, seeds),
    )
    points[0].config.densities_or_typical(shares)
    accuracy = accuracy_of(core, images, labels)
    folder = GrowingFolder(output, COMMAND)
    with count_display("designs", quiet=json) as progress:
        try:
            found = sweep(points, folder, jobs=jobs, scheduler=scheduler, progress=progress)
        except KeyboardInterrupt:
            raise InterruptionError(
                f"interrupted; {output} keeps the finished designs, the same command goes on"
            ) from None
    records = with_front(found[point.key] | {"accuracy": accuracy} for point in points)
    document = to_json(points[0].config.NAME, records, refused)
    folder.write("explore.json", document)
    folder.write("explore.csv", to_csv(records))
    folder.write("explore.html", explore_page(core, records, refused, picture(records)))
    if json:
        print_json({"folder": str(output), "points": records})
        return
    print_front(records)
    out = console()
    if refused:
        out.print(f"{len(refused)} combinations are refused, such as: {refused[0].why}")
    out.print(f"{output / 'explore.html'}, {output / 'explore.csv'}, {output / 'explore.json'}")


def accuracy_of(core: str, images: Path | None, labels: Path | None) -> float | None:
    """The accuracy of a network, which its hardware keys do not change; None without images."""
    if (images is None) != (labels is None):
        raise InputError("--images and --labels go together")
    if images is None or labels is None:
        return None
    network = find_core(core)
    if not issubclass(network, Network):
        raise InputError(f"{core} is a core, not a network; --images are for networks")
    one = network.from_settings({})
    pixels = check_images(one, load(images, "--images"), "--images")
    truth = check_labels(one, load(labels, "--labels"), len(pixels), "--labels")
    return run_evaluation(one, pixels, truth).accuracy


def print_front(records: list[dict[str, Any]]) -> None:
    """Print the front, or every design if none is on it."""
    front = [record for record in records if record["front"]]
    rows = [
        (
            one["name"],
            f"{one['cycles']:,}",
            f"{one['lut']:,}",
            one["bram"],
            "-" if one["fmax_mhz"] is None else f"{one['fmax_mhz']:.1f} ({one['fmax']})",
            "-" if one["us"] is None else f"{one['us']:.4g}",
            "-" if one["energy_uj"] is None else f"{one['energy_uj']:.4g}",
            *([] if one.get("accuracy") is None else [f"{100 * one['accuracy']:.2f} %"]),
        )
        for one in sorted(front or records, key=lambda one: one["lut"])
    ]
    what = f"on the front, of {len(records)}" if front else "designs, none of which can be used"
    console().print(f"{len(rows)} {what}")
    heads = ["design", "cycles", "LUT4", "block RAM", "Fmax, MHz", "us", "uJ"]
    if any(one.get("accuracy") is not None for one in records):
        heads.append("accuracy")  # all designs of a sweep have the same
    print_table(heads, rows)
