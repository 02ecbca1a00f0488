"""`spikeloom coverage`: what the tests of cores reach."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from spikeloom.cores import all_cores, find_core
from spikeloom.errors import InterruptionError, unknown
from spikeloom.outputs import GrowingFolder
from spikeloom_sim.coverage import KINDS, Coverage, measure
from spikeloom_sim.mutation import mutant_configs

from .options import EveryCore, Json, OnlyConfigurations, console, print_json, steps
from .tables import print_table

COMMAND = "coverage"
COLUMNS = ("configuration", *(f"{kind}, %" for kind in KINDS), "unreachable", "missed")


def coverage(
    core: EveryCore = None,
    only: OnlyConfigurations = "",
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder to write, or to add to."),
    ] = Path("spikeloom-coverage"),
    json: Json = False,
) -> None:
    """Measure lines, branches, toggles and functional bins that the tests of cores reach.

    Testbench and cocotb suite run on small configurations, in Verilator. The output folder holds
    what was missed, and what is unreachable, by configuration; coverage.md is the table.
    """
    classes = [find_core(core)] if core else all_cores().values()
    configs = {
        f"{one.NAME}: {name}": config
        for one in classes
        for name, config in mutant_configs(one).items()
    }
    chosen = {name: config for name, config in configs.items() if only in name}
    if not chosen:
        raise unknown("configuration", only, configs)
    folder = GrowingFolder(output, COMMAND)
    found: list[Coverage] = []
    with steps(len(chosen), quiet=json) as begin:
        for name, config in chosen.items():
            begin(name)
            try:
                measured = measure(config, name)
            except KeyboardInterrupt:
                raise InterruptionError(f"interrupted; {output} keeps what is finished") from None
            found.append(measured)
            text = json_text.dumps(measured.as_dict(), indent=1) + "\n"
            folder.write(f"{_plain(name)}.json", text)
            folder.write("coverage.md", markdown(found))
    if json:
        print_json({"folder": str(output), "configurations": [one.as_dict() for one in found]})
        return
    print_table(COLUMNS, [row(one) for one in found])
    console().print(
        "per cent: of the points that are not unreachable; names of both: " + str(output)
    )


def row(found: Coverage) -> tuple[str, ...]:
    """A row of the table."""
    totals = [found.totals(kind) for kind in KINDS]
    shares = (f"{100 * reached / max(1, reached + missed):.1f}" for reached, _, missed in totals)
    unreachable = sum(one for _, one, _ in totals)
    return (found.name, *shares, f"{unreachable:,}", f"{len(found.missed):,}")


def markdown(found: list[Coverage]) -> str:
    """The table as Markdown."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(row, found)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _plain(name):
    """A configuration's name as that of a file."""
    return name.translate(str.maketrans({":": "", " ": "-", ",": "", "/": "-"}))
