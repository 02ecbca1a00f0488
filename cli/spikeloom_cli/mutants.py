"""`spikeloom mutants`: whether the tests notice faults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from spikeloom.cores import all_cores, find_core
from spikeloom.errors import InterruptionError, unknown
from spikeloom.outputs import GrowingFolder
from spikeloom_sim.mutation import Hunt, hunt, mutant_configs

from .options import EveryCore, Json, OnlyConfigurations, console, count_display, print_json
from .tables import print_table

COMMAND = "mutants"


def mutants(
    core: EveryCore = None,
    only: OnlyConfigurations = "",
    count: Annotated[
        int, typer.Option(min=1, max=99_999, help="Mutants of a core, over its configurations.")
    ] = 500,
    seed: Annotated[int, typer.Option(min=1, max=10**6, help="Of the choice of faults.")] = 1,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=999, help="Mutants at a time (default: number of processors)."),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder to write, or to go on with."),
    ] = Path("spikeloom-mutants"),
    json: Json = False,
) -> None:
    """Put faults into small configurations of cores, and count those that the tests notice.

    Verdicts are kept in the output folder; the same command goes on after a break.
    """
    classes = [find_core(core)] if core else all_cores().values()
    chosen = [
        (f"{one.NAME}: {name}", config, -(-count // max(1, len(configs))))
        for one in classes
        for configs in [mutant_configs(one)]
        for name, config in configs.items()
    ]
    configs = [entry for entry in chosen if only in entry[0]]
    if not configs:
        raise unknown("configuration", only, [name for name, _, _ in chosen])
    folder = GrowingFolder(output, COMMAND)
    hunts: list[Hunt] = []
    for name, config, share in configs:
        with count_display(name, quiet=json) as progress:
            try:
                hunts.append(
                    hunt(
                        config,
                        name,
                        share,
                        seed,
                        jobs=jobs or os.cpu_count() or 1,
                        kept=folder,
                        progress=progress,
                    )
                )
            except KeyboardInterrupt:
                raise InterruptionError(
                    f"interrupted; {output} keeps the verdicts, the same command goes on"
                ) from None
    document = [found.as_dict() for found in hunts]
    if json:
        print_json({"folder": str(output), "configurations": document})
        return
    _print(hunts)


def _print(hunts: list[Hunt]) -> None:
    """A row for each configuration, and the faults that no check notices."""
    columns = ("configuration", "mutants", "testbench", "suite", "equivalent", "survived", "killed")
    rows = [
        (
            found.name,
            len(found.mutants),
            *found.counts.values(),
            f"{100 * found.killed_share:.1f} %",
        )
        for found in hunts
    ]
    print_table(columns, rows)
    out = console()
    out.print("killed: share of the mutants that are not proved equivalent")
    for found in hunts:
        for mutant in found.survivors:
            out.print(f"survived in {found.name}: {mutant.fault}")
