"""Plot ``docs/images/bench.png`` from the table of ``docs/numbers.md``.

Use it for rows measured separately (``python examples/bench_picture.py``); `spikeloom bench` plots
the rows of one run.
"""

import argparse
from pathlib import Path
from types import SimpleNamespace

from spikeloom_boards.bench.designs import designs
from spikeloom_boards.bench.plot import plot_bench

ROOT = Path(__file__).parents[1]


def table_rows(text):
    """The bench's rows in a Markdown table: name, LUT4 and us of each."""
    names = {design.name for design in designs()}
    rows = []
    for line in text.splitlines():
        cells = [cell.strip().replace(",", "") for cell in line.strip("| ").split("|")]
        if cells[0] in names:
            rows.append(SimpleNamespace(name=cells[0], lut=int(cells[2]), us=float(cells[6])))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/images/bench.png")
    rows = table_rows((ROOT / "docs/numbers.md").read_text())
    plot_bench(SimpleNamespace(rows=rows), parser.parse_args().output)
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main()
