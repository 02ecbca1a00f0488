"""`spikeloom generate`: write Verilog and the files to use it in another project."""

from __future__ import annotations

from typing import Annotated

import typer

from spikeloom.cores import find_core
from spikeloom.export.files import Options
from spikeloom_boards.boards import find_board
from spikeloom_boards.generate import generate_files
from spikeloom_boards.presets import preset_config

from .options import (
    Assignments,
    BoardName,
    ConfigFile,
    CoreName,
    Json,
    Output,
    console,
    print_json,
    settings_of,
    steps,
)


def generate(
    core: CoreName,
    output: Output,
    board: BoardName = None,
    config: ConfigFile = None,
    set_: Assignments = None,
    tdata: Annotated[
        str,
        typer.Option(
            metavar="WIDTHS",
            help="Widths of tdata: bytes, or power-of-two, which DMA engines require.",
        ),
    ] = "bytes",
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the top module and its files; two designs in one project need two names.",
        ),
    ] = None,
    reset: Annotated[
        str, typer.Option(help="The synchronous reset: rst, active high, or aresetn, active low.")
    ] = "rst",
    init: Annotated[
        bool,
        typer.Option(
            help="Initial values of registers; without, for devices that have none, the design "
            "needs a reset."
        ),
    ] = True,
    mhz: Annotated[float, typer.Option(help="Clock frequency in the constraints.")] = 100.0,
    shell: Annotated[
        str | None,
        typer.Option(
            metavar="BUS",
            help="Put registers in front of the core, on axi-lite or wishbone; with C header and "
            "SVD.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write Verilog, a FuseSoC core file, manifest.json and, with --board, constraints."""
    find_core(core)
    settings = settings_of(config, set_)
    options = Options(name, tdata, reset, init, mhz, shell=shell)
    target = find_board(board) if board else None
    if target:
        chosen = preset_config(core, target, settings)
    else:
        chosen = find_core(core).from_settings(settings)
    with steps(2, quiet=json) as begin:
        manifest = generate_files(chosen, output, target, begin, options)
    if json:
        print_json(manifest)
        return
    out = console()
    out.print(f"{core}: {manifest['cycles']} cycles from start to the last output beat")
    for file in manifest["files"]:
        out.print(f"  {output / file}")
