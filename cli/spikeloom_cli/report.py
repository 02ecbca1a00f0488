"""`spikeloom report`: builds side by side."""

from pathlib import Path
from typing import Annotated

import typer

from spikeloom.errors import InputError
from spikeloom_boards.comparison import COLUMNS, markdown, read_report, row

from .options import Json, print_json
from .tables import print_table


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of builds.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.html", help="Write a page as well."),
    ] = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table as Markdown.")
    ] = False,
    json: Json = False,
):
    """Compare builds: cells, clock, time per attention."""
    reports = [read_report(folder) for folder in folders]
    if output is not None:
        from spikeloom_boards.report_html import comparison_page

        if not output.parent.is_dir():
            raise InputError(f"{output.parent} is no folder; choose another -o")
        output.write_text(comparison_page(reports))
    if json:
        print_json(reports)
    elif as_markdown:
        print(markdown(reports), end="")
    else:
        print_table(COLUMNS, map(row, reports))
