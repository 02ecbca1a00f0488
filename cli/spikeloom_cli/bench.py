"""`spikeloom bench`: cycles, cells, clock and time of every core."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, console, print_json, steps
from .tables import print_table


def bench(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="TEXT", help="Rows whose name contains TEXT; repeatable."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Measure all rows; takes hours.")] = False,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=99, help="Place-and-route runs per row.")
    ] = 3,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            min=1,
            max=999,
            help="Rows measured in parallel (default: number of processors).",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write.")
    ] = Path("spikeloom-bench"),
    json: Json = False,
) -> None:
    """Measure all cores: simulated cycles, cells, Fmax and time, as a table and a plot."""
    from spikeloom_boards.bench.bench import (
        COLUMNS,
        cells,
        run_bench,
    )  # Matplotlib is slow to import
    from spikeloom_boards.bench.designs import choose

    designs = choose(only or (), full)
    with steps(1 + len(designs) * (2 + seeds), quiet=json) as begin:
        measured = run_bench(designs, output, range(1, seeds + 1), begin, jobs)
    if json:
        print_json(measured.as_list())
        return
    print_table(COLUMNS, [cells(row) for row in measured.rows])
    out = console()
    for name, us in measured.software:
        out.print(f"{name}: {us:,.0f} us")
    out.print(f"{output / 'bench.md'}, {output / 'bench.json'}, {output / 'bench.png'}")
