"""Measure all designs of the bench and write the table and the plot."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.cores import all_cores
from spikeloom.outputs import output_folder

from .measure import Measurement, measure
from .paper import REPORTED
from .plot import plot_bench
from .software import software_rows

if TYPE_CHECKING:
    from .designs import Design


@dataclass(frozen=True)
class Bench:
    """Measured rows, and (name, us) of software on this machine."""

    rows: list[Measurement]
    software: list

    def as_list(self) -> list[dict[str, Any]]:
        """One dict per row, as in ``bench.json``; software rows have no cycles, cells or Fmax."""
        hardware = [row.as_dict() for row in self.rows]
        nothing = dict.fromkeys(
            ("cycles", "cycles_trained", "lut", "ff", "bram", "dsp", "fmax_mhz")
        )
        return hardware + [{"name": name} | nothing | {"us": us} for name, us in self.software]


COLUMNS = (
    *("design", "core cycles", "LUT4", "FF", "block RAM", "DSP", "Fmax (MHz)", "core us"),
    *("us with loading", "attentions/s, core", "LUT x us"),
    *("trained operands: cycles", "us", "limited by"),
)


def cells(row: Measurement) -> tuple[str, ...]:
    """The row as texts, one for each of `COLUMNS`."""
    return (
        row.name,
        f"{row.cycles:,}",
        f"{row.lut:,}",
        f"{row.ff:,}",
        f"{row.bram}",
        f"{row.dsp or ''}",
        f"{row.fmax_mhz:.1f}",
        _microseconds(row.us),
        _microseconds(row.us_loading),
        f"{row.attentions_per_s:,}",
        f"{row.lut_us:,.0f}",
        "" if row.cycles_trained is None else f"{row.cycles_trained:,}",
        "" if row.us_trained is None else _microseconds(row.us_trained),
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
    """Measure `designs` and write ``bench.json``, ``bench.md`` and ``bench.png`` to `folder`.

    The folder is written only if everything succeeds. `jobs` designs are measured in parallel
    (default: one per processor). Returns a `Bench`; raises the errors of `measure`.
    """
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
        lines.append(f"| {name} | | | | | | | {us:,.0f} | | {1e6 / us:,.0f} | | | | software |")
    for row in REPORTED:
        lines.append(
            f"| {row.what} on a {row.device} | {row.cycles} | | | | | {row.mhz:.0f} | "
            f"{row.us:g} | | {1e6 / row.us:,.0f} | | | | reported, {row.source} |"
        )
    lines += [
        "",
        "Cycles: RTL simulation, from start to the last output beat, with as many operands",
        "preloaded as the core can store. LUT4, flip-flops, block RAM: Yosys, core only. Fmax:",
        "median over seeds of nextpnr, core between registers. Core us: cycles divided by Fmax; us",
        "with loading: operands begin to stream in at start. Attentions/s: core only; a serial",
        "line is far slower. a2os2a and spiked skip zeros: the columns up to LUT x us are for",
        "random operands, half of them zero. Trained operands are random with the densities of",
        "trained networks, the share of elements that are not zero:",
        "",
        *_densities(bench.rows),
        "",
    ]
    return "\n".join(lines)


def _densities(rows):
    """The densities of trained operands of each core in `rows`, with their source."""
    lines = []
    for name in dict.fromkeys(row.name.split("/")[0] for row in rows):
        trained = all_cores()[name].IN_NETWORKS
        if trained:
            shares = ", ".join(f"{key} {share:g}" for key, share in trained.densities.items())
            lines.append(f"- {name}: {shares}; {trained.source}.")
    return lines
