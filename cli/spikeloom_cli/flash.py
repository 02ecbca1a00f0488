"""`spikeloom flash`: load a bitstream into its board."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from spikeloom_boards import flash as flashing
from spikeloom_boards.report import loading

from .options import Json, console, print_json


def flash(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `build` wrote.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print the command line.")
    ] = False,
    json: Json = False,
) -> None:
    """Load a built bitstream into its board with the board's own programmer."""
    job = flashing.plan(folder)
    if not dry_run:
        flashing.flash(job)
    if json:
        record = {"board": job.board, "command": job.command, "into": job.programmer.into}
        record |= {"commands": job.commands}
        print_json(record | {"done": not dry_run})
    elif dry_run:
        for command in job.commands:
            console().print(shlex.join(command), markup=False)
    else:
        names = " and ".join(file.name for file in (job.bitstream, job.data) if file)
        was = "were" if job.data else "was"
        console().print(f"{job.board}: {names} {was} loaded into its {job.programmer.into}")
        if job.loaded:
            console().print(loading(job.loaded))
