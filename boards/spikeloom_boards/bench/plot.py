"""Plot of the bench: latency against LUTs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spikeloom.cores import all_cores
from spikeloom.families import FAMILIES

from .paper import REPORTED

if TYPE_CHECKING:
    from .bench import Bench
    from .measure import Measurement

MARKS = "osDphPX"  # of cores, in turn
COLOURS = ("C2", "C0", "C1", "C3", "C4", "C5", "C6", "C8", "C9")  # of devices, in turn


def plot_bench(bench: Bench, path: Path) -> None:
    """Plot all designs, the reported times and lines of equal LUT x us.

    Marks are numbered and named in a legend beside the axes, so that labels do not overlap. The
    file's metadata lists the rows.
    """
    height = max(6.5, 1.5 + 0.19 * len(bench.rows))  # the legend has one line per row
    figure = Figure(figsize=(11, height), layout="constrained")
    draw(figure, bench.rows)
    metadata = {"Description": " ".join(row.name for row in bench.rows)}
    figure.savefig(path, dpi=120, metadata=metadata)


def draw(figure: Figure, rows: Sequence[Measurement]) -> None:
    """Draw the axes and legend; `rows` have a name, `lut` and `us`."""
    ax = figure.subplots()
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="LUT4, core only (Yosys)",
        ylabel="us per attention, core only (operands preloaded as far as they fit)",
        title="Latency against size (lower left is better)",
    )
    _equal_products(ax, rows)
    marks = dict(zip(all_cores(), cycle(MARKS), strict=False))
    devices = [device.id for family in FAMILIES.values() for device in family.DEVICES]
    colours = dict(zip(devices, cycle(COLOURS), strict=False))
    keys = []
    for number, row in enumerate(rows, 1):
        core, engine, unroll, device = row.name.split("/")
        look: dict[str, Any] = {
            "marker": marks[core],
            "color": colours[device],
            "linestyle": "none",
        }
        ax.plot(row.lut, row.us, markersize=13, markeredgecolor="w", **look)
        _number(ax, row, number, rows[: number - 1])
        name = f"{number}  {core} {engine} {unroll} on {device}"
        keys.append(Line2D([], [], markersize=8, label=name, **look))
    for row in REPORTED:
        ax.axhline(row.us, color="k", linestyle=":", linewidth=1, zorder=0)
        name = f"{row.us:g} us reported in {row.source}:\n{row.what}"
        keys.append(Line2D([], [], color="k", linestyle=":", linewidth=1, label=name))
    ax.legend(handles=keys, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))


def _number(ax, row, number, others):
    """Write a number on the mark of a row, or beside it if one of the `others` is at its place."""
    style: dict[str, Any] = {"fontsize": 7, "weight": "bold", "va": "center"}
    if any(abs(np.log(row.lut / o.lut)) < 0.2 and abs(np.log(row.us / o.us)) < 0.4 for o in others):
        colour = ax.lines[-1].get_color()
        place = {"xytext": (-8, 0), "textcoords": "offset points", "ha": "right"}
        ax.annotate(str(number), (row.lut, row.us), color=colour, **place, **style)
    else:
        ax.text(row.lut, row.us, str(number), color="w", ha="center", **style)


def _equal_products(ax, rows):
    """Set the axis limits and draw grey lines of equal LUT x us."""
    times = [row.us for row in rows] + [row.us for row in REPORTED]
    sizes = [row.lut for row in rows]
    left, right = min(sizes) / 2, max(sizes) * 4
    bottom, top = min(times) / 2.5, max(times) * 2.5
    ax.set(xlim=(left, right), ylim=(bottom, top))
    widths = np.array([left, right])
    for product in 10.0 ** np.arange(1, 10):
        ax.plot(widths, product / widths, color="0.85", linewidth=0.8, zorder=0)
        y = product / right
        if 1.3 * bottom <= y <= top:
            text = f"{product:,.0f} LUT us"
            ax.text(right / 1.05, y, text, fontsize=7, color="0.4", ha="right", va="top")
