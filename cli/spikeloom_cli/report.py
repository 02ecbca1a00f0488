"""`spikeloom report`: compare builds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeloom.outputs import check_file, output_file
from spikeloom_boards.comparison import COLUMNS, markdown, read_report, row

from .options import Json, print_json
from .tables import print_table


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of builds.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.html", help="Also write an HTML page."),
    ] = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table as Markdown.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare builds: cells, Fmax, time per attention."""
    if output is not None:
        check_file(output, inputs={str(folder): folder / "report.json" for folder in folders})
    reports = [read_report(folder) for folder in folders]
    if output is not None:
        from spikeloom_boards.report_html import comparison_page

        page = comparison_page(reports)
        with output_file(output) as staging:
            staging.write_text(page)
    if json:
        print_json(reports)
    elif as_markdown:
        print(markdown(reports), end="")
    else:
        print_table(COLUMNS, map(row, reports))
