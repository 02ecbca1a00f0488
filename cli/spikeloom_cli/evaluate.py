"""`spikeloom evaluate`: the accuracy of a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikeloom.backend import find_backend
from spikeloom.cores import find_core
from spikeloom.errors import InputError, JobError
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom.networks.evaluation import (
    COMPARED,
    Evaluation,
    check_images,
    check_labels,
    check_reference,
)
from spikeloom.networks.evaluation import evaluate as run_evaluation
from spikeloom.networks.finding import network_names
from spikeloom.networks.network import Network
from spikeloom.networks.work import work
from spikeloom.outputs import check_file, output_file
from spikeloom_boards.driver.jobs import core_on
from spikeloom_boards.energy import record_of
from spikeloom_boards.technologies import DEFAULT, find_technology
from spikeloom_models.data import read_idx
from spikeloom_sim.tensors import load_tensor

from .options import (
    Assignments,
    BackendName,
    Baud,
    ConfigFile,
    Json,
    NetworkName,
    Port,
    SimulatorName,
    TechnologyName,
    check_place,
    console,
    count_display,
    print_json,
    settings_of,
)
from .tables import energy_line, print_activity, print_pairs, print_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

PICTURES = (".png", ".svg", ".pdf")
SHOWN = 20  # images that differ from a reference
NUMPY = b"\x93NUMPY"


def evaluate(
    network: NetworkName,
    images: Annotated[
        Path,
        typer.Option(
            metavar="X.npy", help="Images (B, Y, X, C) or (B, Y, X) of bytes; .npy or IDX (.gz)."
        ),
    ],
    labels: Annotated[
        Path, typer.Option(metavar="Y.npy", help="Classes (B,), from 0; .npy or IDX (.gz).")
    ],
    backend: BackendName = "golden",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N images.")] = None,
    sim: SimulatorName = "verilator",
    port: Port = None,
    baud: Baud = DEFAULT_BAUD,
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="R.npy",
            help="Classes (B,) or logits (B, classes) of another network, such as the one in "
            "floating point; the images that differ are listed.",
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the confusion matrix; .png, .svg or .pdf."),
    ] = None,
    config: ConfigFile = None,
    set_: Assignments = None,
    technology: TechnologyName = DEFAULT,
    json: Json = False,
) -> None:
    """Classify labelled images; compare every backend except golden with the golden model."""
    if picture is not None:
        check_picture(picture, images, labels)
    core_class = find_core(network)
    if not issubclass(core_class, Network):
        raise InputError(f"{network} is a core, not a network; {_known()}")
    check_place(backend, sim, port)
    find_technology(technology)
    settings = settings_of(config, set_)
    core = core_on(port, core_class, settings, baud) if port else core_class.from_settings(settings)
    pixels = check_images(core, load(images, "--images"), "--images")
    truth = check_labels(core, load(labels, "--labels"), len(pixels), "--labels")
    others = reference and load_tensor(reference, "--reference")
    if others is not None:
        others = check_reference(core, others, len(pixels), "--reference")[:limit]
    options = {"port": port, "baud": baud} if port else {}
    options |= {"simulator": sim} if backend in ("rtl", "netlist") else {}
    place = find_backend(backend, **options)
    with count_display("images", quiet=json) as progress:
        result = run_evaluation(core, pixels[:limit], truth[:limit], place, progress, others)
    if picture is not None:
        from spikeloom_models.confusion import draw_confusion

        with output_file(picture) as file:
            draw_confusion(result).savefig(file, format=picture.suffix[1:], dpi=150)
    energy = record_of(core, work(core.GRAPH, result.additions), technology)
    if json:
        print_json(result.as_dict() | {"energy": energy})
    else:
        print_evaluation(result)
        print_pairs(energy_line(energy))
    if result.mismatches:
        raise JobError(f"{network}: {result.mismatches} outputs differ from the golden model")
    if result.cycles_differ:
        raise JobError(f"{network}: cycles of {result.cycles_differ} images are not the formula's")


def check_picture(path: Path, *inputs: Path) -> None:
    """Raise `InputError` unless a picture can be written to `path`."""
    if path.suffix not in PICTURES:
        raise InputError(f"--picture {path}: the name ends in one of {', '.join(PICTURES)}")
    check_file(path, inputs={"--images": inputs[0], "--labels": inputs[1]})


def load(path: Path, name: str) -> NDArray:
    """The array of an .npy or IDX file."""
    if not path.is_file():
        return load_tensor(path, name)  # says why it cannot be read
    with path.open("rb") as file:
        numpy = path.suffix == ".npy" or file.read(len(NUMPY)) == NUMPY
    return load_tensor(path, name) if numpy else read_idx(path)


def print_evaluation(result: Evaluation) -> None:
    """Print an evaluation as text."""
    out = console()
    right = sum(row[n] for n, row in enumerate(result.confusion))
    cycles = ""
    if result.cycles is not None:
        cycles = f", {result.cycles:,.0f} cycles an image "
        cycles += f"({result.cycles_min:,} to {result.cycles_max:,})"
    out.print(
        f"{result.network} on {result.backend}: {100 * result.accuracy:.2f} % of {result.images:,} "
        f"images ({right:,}), {result.images_per_second:,} images/s{cycles}"
    )
    if result.mismatches is not None:
        out.print(f"{result.mismatches} outputs differ from the golden model")
    if result.cycles_differ is not None:
        compared = min(result.images, COMPARED)
        out.print(
            f"of {compared} images, {result.cycles_differ} took other cycles than the formula gives"
        )
    if result.differing is not None:
        shown = ", ".join(map(str, result.differing[:SHOWN]))
        shown += ", ..." if len(result.differing) > SHOWN else ""
        out.print(
            f"{len(result.differing):,} of {result.images:,} classes differ from the reference"
            + (f": images {shown}" if shown else "")
        )
    print_activity(result.layers)
    out.print("rows: the class of an image; columns: the class that the network gives")
    numbers = [str(n) for n in range(len(result.classes))]
    rows = zip(numbers, result.classes, result.confusion, strict=True)
    print_table(("", "class", *numbers), [(n, name, *counts) for n, name, counts in rows])


def _known() -> str:
    names = network_names()
    return f"networks: {', '.join(names)}, or a network file" if names else "give a network file"
