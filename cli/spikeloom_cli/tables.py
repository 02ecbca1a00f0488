"""Tables as text; cells are never truncated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from .options import console

if TYPE_CHECKING:
    from spikeloom.networks.evaluation import Activity


def print_table(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows of texts under `columns`.

    In a file or pipe, the table is as wide as its text. In a terminal, long cells wrap; if that is
    still too wide, each row is printed as a paragraph of ``column: text`` lines.
    """
    rows = [[str(cell) for cell in row] for row in rows]
    if not _print_grid(rows, columns):
        for row in rows:
            _print_lines(zip(columns, row, strict=True))
            console().print()


def print_pairs(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Print (name, text) pairs, one per line, with names aligned if the width allows."""
    pairs = [(str(name), str(text)) for name, text in pairs]
    if not _print_grid(pairs):
        _print_lines(pairs)


def print_activity(layers: Mapping[str, Activity]) -> None:
    """Print what each layer of a network does for an image."""
    rows = [(n, f"{100 * a.ones:.1f}", f"{a.additions:,.0f}") for n, a in layers.items()]
    print_table(("layer", "spikes, %", "additions"), rows)


def energy_line(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The energy of a run (see `spikeloom_boards.energy.energy_record`) as a (name, text) pair;
    empty if it is not counted."""
    return [
        (
            "energy, estimate",
            f"{one['uj']:.4g} uJ a run: operations {one['compute_uj']:.4g}, memory "
            f"{one['memory_uj']:.4g} ({record['technology']}; not measured)",
        )
        for one in record["designs"][:1]
    ]


def _print_grid(rows, columns=()):
    """Print a table that fits or wraps; prints nothing and returns False if it cannot."""
    out = console()
    table = Table(box=None, show_header=bool(columns), padding=(0, 1))
    for column in columns or ("", ""):
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    wide = out.options.update(width=100_000)
    needed = out.measure(table, options=wide)
    if not out.is_terminal:
        out.width = max(out.width, needed.maximum)
    if needed.minimum > out.width:
        return False
    out.print(table, soft_wrap=False)
    return True


def _print_lines(pairs):
    out = console()
    for name, text in pairs:
        out.print(f"{name}: {text}" if name else text, markup=False)
