"""`spikeloom build`: build a bitstream and its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeloom.cores import find_core
from spikeloom.errors import InputError
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom.networks.evaluation import check_images
from spikeloom.networks.network import Network
from spikeloom_boards.boards import find_board
from spikeloom_boards.build import NAME, TOPS, Build, hertz
from spikeloom_boards.build import build as run_build
from spikeloom_boards.presets import core_clock, preset_config
from spikeloom_boards.rates import rate_text
from spikeloom_boards.report import notes, utilisation
from spikeloom_boards.technologies import DEFAULT

from . import completion
from .evaluate import load
from .options import (
    Assignments,
    Baud,
    ConfigFile,
    CoreName,
    Json,
    Output,
    TechnologyName,
    print_json,
    settings_of,
    steps,
)
from .tables import energy_line, print_pairs

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom_boards.report import Report


def build(
    core: CoreName,
    output: Output,
    board: Annotated[
        str,
        typer.Option(
            "--board",
            metavar="BOARD",
            help="Board to build for.",
            autocompletion=completion.boards,
        ),
    ],
    config: ConfigFile = None,
    set_: Assignments = None,
    mhz: Annotated[
        float | None,
        typer.Option(help="Clock frequency of the core (default: the board's)."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Place-and-route seed (default: the first of 1, 2, 3 that meets timing)."
        ),
    ] = None,
    top: Annotated[
        str | None,
        typer.Option(
            help="What to build around the core: link (to a host), self-test, or pictures, which "
            "a network classifies in turn (default: link if the board has room for it).",
            autocompletion=completion.one_of(TOPS),
        ),
    ] = None,
    baud: Baud = DEFAULT_BAUD,
    images: Annotated[
        Path | None,
        typer.Option(metavar="X.npy", help="Pictures (B, Y, X, C) of bytes, for --top pictures."),
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the top module and the bitstream.")
    ] = NAME,
    technology: TechnologyName = DEFAULT,
    json: Json = False,
) -> None:
    """Build the bitstream of a core; fails if it does not fit or misses timing."""
    find_core(core)
    target = find_board(board)
    chosen = preset_config(core, target, settings_of(config, set_))
    frequency = core_clock(core, target) if mhz is None else hertz(mhz)
    pictures = [] if images is None else pictures_of(chosen, images)
    job = Build(
        chosen,
        target,
        frequency,
        seed,
        top=top,
        baud=baud,
        pictures=pictures,
        technology=technology,
        name=name,
    )
    with steps(4, quiet=json) as begin:
        report = run_build(job, output, begin)
    if json:
        print_json(report.as_dict())
    else:
        print_report(report, output)


def pictures_of(core: Core, path: Path) -> list[dict[str, Any]]:
    """The pictures in a file, as operands of a network."""
    if not isinstance(core, Network):
        raise InputError(f"{core.NAME} is no network; --images are for networks")
    return [{"image": one} for one in check_images(core, load(path, "--images"), "--images")]


def print_report(report: Report, output: Path) -> None:
    """Print a build report as text."""
    rows = [
        ("core", f"{report.core} on {report.board} ({report.device}), top: {report.top}"),
        ("LUT4", f"{report.lut4:,} (whole design, synthesised)"),
    ]
    for what, used, available, _ in utilisation(report.as_dict()):
        filled = round(20 * used / available)
        bar = "#" * filled + "." * (20 - filled)
        amount = f"{used:,} of {available:,} ({100 * used / available:.0f} %)"
        rows.append((what, f"{bar} {amount}"))
    rows += [
        ("flip-flops", f"{report.registers:,}"),
        ("Fmax", f"{report.fmax_mhz:.1f} MHz, {report.target_mhz:g} MHz needed: met"),
        ("critical path", report.critical_path),
        *((f"{rate['run']}, {rate['what']}", rate_text(rate)) for rate in report.rates),
        *energy_line(report.energy),
        ("bitstream", str(output / report.bitstream)),
        *([("network", str(output / report.network))] if report.network else []),
        ("report", str(output / "report.html")),
        *(("note", note) for note in notes(report.as_dict())),
    ]
    print_pairs(rows)
