"""`spikeloom demo`: run a network or a core on pictures, with plots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeloom_boards.demos import demo_names, find_demo

from . import completion
from .build import print_report
from .options import Json, console, print_json, steps
from .tables import print_pairs, print_table


def demo(
    name: Annotated[
        str,
        typer.Argument(
            metavar="DEMO",
            help="Demo: " + ", ".join(demo_names()) + ".",
            autocompletion=completion.one_of(demo_names()),
        ),
    ] = "network",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Folder to write (default: spikeloom-demo-DEMO)."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """A network classifies pictures, or a core computes the attention over a photograph, on the
    golden model and the RTL; writes plots."""
    chosen = find_demo(name)
    output = output or Path(f"spikeloom-demo-{name}")
    with steps(chosen.steps, quiet=json) as begin:
        result = chosen.run(output, begin)
    if json:
        print_json(result.as_dict())
        return

    out = console()
    out.print(f"[bold]{result.title}[/bold]")
    print_table(result.columns, result.rows())
    out.print(result.scope)
    out.print()
    if result.facts:
        print_pairs(result.facts)
        out.print()
    if result.report:
        out.print("[bold]Bitstream for the iCEBreaker[/bold] (self-test of the preset)")
        print_report(result.report, output / "icebreaker")
        out.print()
    out.print("[bold]Files[/bold]")
    print_pairs((output / name, what) for name, what in result.files.items())
    if result.saw:
        out.print()
        out.print("[bold]What you saw[/bold]")
        for sentence in result.saw:
            out.print(sentence)
    if result.after:
        out.print(f"Next: {result.after}")
