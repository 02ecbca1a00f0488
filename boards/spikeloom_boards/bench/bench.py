"""The bench as a whole: measure designs, write the table and the picture."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.outputs import output_folder

from .measure import Measurement, measure
from .paper import REPORTED
from .plot import plot_bench
from .software import software_rows

if TYPE_CHECKING:
    from .designs import Design


@dataclass(frozen=True)
class Bench:
    """Measured rows, and (name, us) of software on the machine at hand."""

    rows: list[Measurement]
    software: list

    def as_list(self) -> list[dict[str, Any]]:
        """One dict a row, as ``bench.json`` has them; software has no cycles, cells or clock."""
        hardware = [row.as_dict() for row in self.rows]
        nothing = dict.fromkeys(("cycles", "lut", "ff", "bram", "fmax_mhz"))
        return hardware + [{"name": name} | nothing | {"us": us} for name, us in self.software]


COLUMNS = (
    *("design", "core cycles", "LUT4", "FF", "block RAM", "Fmax (MHz)", "core us"),
    *("us with loading", "attentions/s, core", "LUT x us", "limited by"),
)


def cells(row: Measurement) -> tuple[str, ...]:
    """The row's texts, by `COLUMNS`."""
    return (
        row.name,
        f"{row.cycles:,}",
        f"{row.lut:,}",
        f"{row.ff:,}",
        f"{row.bram}",
        f"{row.fmax_mhz:.1f}",
        _microseconds(row.us),
        _microseconds(row.us_loading),
        f"{row.attentions_per_s:,}",
        f"{row.lut_us:,.0f}",
        row.path,
    )


def _microseconds(us):
    return f"{us:.3g}" if us < 100 else f"{us:,.0f}"


def run_bench(
    designs: Sequence[Design],
    folder: Path,
    seeds: Sequence[int] = (1, 2, 3),
    progress: Callable[[str], None] = lambda step: None,
    jobs: int | None = None,
) -> Bench:
    """Measure `designs` into `folder`, whole or not at all: ``bench.json``, ``bench.md`` and
    ``bench.png``. `jobs` of them at once (default: one for each processor).

    Returns a `Bench`; raises what `measure` does."""
    with output_folder(folder, "bench") as staging:
        progress("software")
        software = software_rows()
        with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
            rows = [pool.submit(measure, design, seeds, progress) for design in designs]
            try:
                bench = Bench([row.result() for row in rows], software)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        (staging / "bench.json").write_text(json.dumps(bench.as_list(), indent=2) + "\n")
        (staging / "bench.md").write_text(markdown(bench))
        plot_bench(bench, staging / "bench.png")
    return bench


def markdown(bench: Bench) -> str:
    """The bench as a Markdown table, with the papers' figures marked as reported."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    lines += [f"| {' | '.join(cells(row))} |" for row in bench.rows]
    for name, us in bench.software:
        lines.append(f"| {name} | | | | | | {us:,.0f} | | {1e6 / us:,.0f} | | software |")
    for row in REPORTED:
        lines.append(
            f"| {row.what} on a {row.device} | {row.cycles} | | | | {row.mhz:.0f} | {row.us:g} | | "
            f"{1e6 / row.us:,.0f} | | reported, {row.source} |"
        )
    lines += [
        "",
        "Cycles: RTL simulation, from start to the last output beat, with operands on chip as far",
        "as the core holds them. LUT4, flip-flops, block RAM: Yosys, the core alone. Fmax: median",
        "over seeds of nextpnr, the core between registers. Core us: cycles over that clock; us",
        "with loading: operands begin to stream in at start. Attentions/s: of the core alone; a",
        "serial line in front of it carries fewer by far. a2os2a and spiked pass over zeros: their",
        "clocks are those of random operands.",
        "",
    ]
    return "\n".join(lines)
