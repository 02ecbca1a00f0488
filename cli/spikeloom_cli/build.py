"""`spikeloom build`: a bitstream with its report."""

from typing import Annotated

import typer
from rich.table import Table

from spikeloom.catalog import find_core
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom_boards.build import Build, hertz
from spikeloom_boards.build import build as run_build
from spikeloom_boards.recipes import find_board, preset_config
from spikeloom_boards.report import notes

from .options import (
    Assignments,
    Baud,
    ConfigFile,
    CoreName,
    Json,
    Output,
    console,
    print_json,
    settings_of,
    steps,
)


def build(
    core: CoreName,
    output: Output,
    board: Annotated[str, typer.Option("--board", metavar="BOARD", help="Board to build for.")],
    config: ConfigFile = None,
    set_: Assignments = None,
    mhz: Annotated[
        float | None,
        typer.Option(help="Clock of the core (default: the board's)."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Seed of place and route (default: 1, 2 or 3, the first that will do)."),
    ] = None,
    top: Annotated[
        str | None,
        typer.Option(
            help="What goes around the core: link (to a host) or self-test; without it, the host "
            "link where the board has room."
        ),
    ] = None,
    baud: Baud = DEFAULT_BAUD,
    json: Json = False,
):
    """Build the bitstream of a core; fails where it does not fit or misses its clock."""
    find_core(core)
    recipe = find_board(board)
    chosen = preset_config(core, recipe, settings_of(config, set_))
    frequency = recipe.frequency_of(core) if mhz is None else hertz(mhz)
    job = Build(chosen, recipe, frequency, seed, top=top, baud=baud)
    with steps(4, quiet=json) as begin:
        report = run_build(job, output, begin)
    if json:
        print_json(report.as_dict())
    else:
        print_report(report, output)


def print_report(report, output):
    """Show a build's report to people."""
    out = console()
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_row("core", f"{report.core} on {report.board} ({report.device})")
    table.add_row("LUT4", f"{report.lut4}")
    for what, used, available in (
        ("logic cells", report.cells, report.cells_available),
        ("block RAMs", report.block_rams, report.block_rams_available),
    ):
        filled = round(20 * used / available)
        bar = "#" * filled + "." * (20 - filled)
        table.add_row(what, f"{bar} {used} of {available} ({100 * used / available:.0f} %)")
    table.add_row("flip-flops", f"{report.registers}")
    table.add_row("Fmax", f"{report.fmax_mhz:.1f} MHz, {report.target_mhz:g} MHz needed: met")
    table.add_row("critical path", report.critical_path)
    table.add_row("attention", f"{report.cycles} cycles, {report.us:.1f} us")
    table.add_row("bitstream", str(output / report.bitstream))
    table.add_row("report", str(output / "report.html"))
    for note in notes(report.as_dict()):
        table.add_row("note", note)
    out.print(table)
