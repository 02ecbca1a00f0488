"""The bench as a picture: latency against LUTs."""

import numpy as np
from matplotlib.figure import Figure

from .designs import DESIGNS
from .paper import REPORTED

MARKS = {"ssa": "o", "a2os2a": "s", "spiked": "^"}
COLOURS = ("C2", "C0", "C1", "C3", "C4", "C5", "C6", "C8", "C9")  # of devices, in turn


def plot_bench(bench, path):
    """Draw all designs, the paper's time and lines of equal LUT x us."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    ax = figure.subplots()
    ax.set(xscale="log", yscale="log", xlabel="LUT4", ylabel="us per attention")

    times = [row.us for row in bench.rows] + [row.us for row in REPORTED]
    sizes = [row.lut for row in bench.rows]
    left, right = min(sizes) / 3, max(sizes) * 4
    bottom, top = min(times) / 2.5, max(times) * 2.5
    widths = np.array([left, right])
    for product in 10.0 ** np.arange(1, 9):
        ax.plot(widths, product / widths, color="0.85", linewidth=0.8, zorder=0)
        y = product / right
        if bottom <= y <= top:
            text = f"{product:,.0f} LUT us"
            ax.annotate(text, (right, y), fontsize=7, color="0.6", ha="right", va="top")
    for row in REPORTED:
        ax.axhline(row.us, color="k", linestyle=":", linewidth=1)
        text = f"{row.us:g} us reported: {row.what}"
        ax.text(right / 1.05, row.us * 1.05, text, fontsize=8, ha="right")

    names = [*(design.name for design in DESIGNS), *(row.name for row in bench.rows)]
    devices = list(dict.fromkeys(name.split("/")[3] for name in names))
    seen = set()
    for row in bench.rows:
        core, engine, unroll, device = row.name.split("/")
        label = f"{core} on {device}"
        ax.plot(
            row.lut,
            row.us,
            MARKS[core],
            color=COLOURS[devices.index(device) % len(COLOURS)],
            label=None if label in seen else label,
            markersize=8,
        )
        seen.add(label)
        crowded = any(
            1 < other.lut / row.lut < 1.6 and 1 < other.us / row.us < 1.6 for other in bench.rows
        )
        ax.annotate(
            f"{engine} {unroll}",
            (row.lut, row.us),
            (-6, 4) if crowded else (6, 4),
            ha="right" if crowded else "left",
            textcoords="offset points",
            fontsize=8,
        )
    ax.set(
        xlim=(left, right), ylim=(bottom, top), title="Latency against size (lower left is better)"
    )
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path, dpi=120)
