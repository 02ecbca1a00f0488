"""`spikeloom demo`: the main job on real data, pictures included."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from spikeloom.errors import unknown
from spikeloom_boards.demo import DEMOS

from .build import print_report
from .options import Json, console, print_json, steps


def demo(
    core: Annotated[str, typer.Argument(metavar="[CORE]")] = "ssa",
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR")] = Path("spikeloom-demo"),
    json: Json = False,
):
    """Attention over a photograph on the golden model and the RTL, a bitstream, and pictures."""
    if core not in DEMOS:
        raise unknown("demo", core, DEMOS)
    run = DEMOS[core]
    with steps(run.steps, quiet=json) as begin:
        result = run(output, begin)
    if json:
        print_json(result.as_dict())
        return

    out = console()
    out.print(f"[bold]{result.title}[/bold]")
    table = Table(*result.columns, box=None, padding=(0, 2))
    for row in result.rows():
        table.add_row(*row)
    out.print(table)
    out.print()
    if result.report:
        out.print("[bold]Bitstream for the iCEBreaker[/bold] (self-test of the preset)")
        print_report(result.report, output / "icebreaker")
        out.print()
    out.print("[bold]Files[/bold]")
    for name, what in result.files.items():
        out.print(f"  {output / name}  {what}")
