"""Draws the datapath pictures of the documentation: ``python docs/draw_datapaths.py``."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

FOLDER = Path(__file__).parent
MEMORY, LOGIC, RANDOM, STREAM = "#dbe9f6", "#fdf0d5", "#e5f5e0", "#f0f0f0"


def box(ax, x, y, text, colour, width=1.5, height=0.8):
    """A rounded box centred on (x, y)."""
    corner = (x - width / 2, y - height / 2)
    shape = FancyBboxPatch(corner, width, height, boxstyle="round,pad=0.03", fc=colour, ec="0.3")
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=8)


def arrow(ax, start, end, text=""):
    """An arrow from start to end with a caption above its middle."""
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "0.3"})
    if text:
        x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        ax.text(x, y + 0.06, text, ha="center", va="bottom", fontsize=7, color="0.3")


def canvas(width, height):
    """A figure and its axes, one unit to the inch."""
    figure = Figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.axis("off")
    return figure, ax


def draw_ssa():
    """Streams, operand memories, the two stages, the output queue."""
    figure, ax = canvas(12.4, 4.3)
    for name, y in (("q", 3.5), ("k", 2.5), ("v", 0.8)):
        box(ax, 0.9, y, f"s_axis_{name}", STREAM, 1.2, 0.5)
        box(ax, 2.8, y, "row splitter\nor encoders", LOGIC, 1.5, 0.7)
        box(ax, 4.9, y, f"{name.upper()} spikes\n2 banks", MEMORY, 1.4, 0.7)
        arrow(ax, (1.55, y), (2.0, y))
        arrow(ax, (3.6, y), (4.15, y))
    box(
        ax,
        7.1,
        3.0,
        "score stage\nAND, popcount,\ncounter from $2^w-1-r$,\ncarry = spike",
        LOGIC,
        1.9,
        1.1,
    )
    arrow(ax, (5.65, 3.5), (6.1, 3.2))
    arrow(ax, (5.65, 2.5), (6.1, 2.8))
    box(ax, 7.1, 1.85, "scores S\nring of banks", MEMORY, 1.4, 0.6)
    arrow(ax, (7.1, 2.4), (7.1, 2.2), "")
    ax.text(7.2, 2.27, "mask", fontsize=7, color="0.3", va="center")
    box(
        ax,
        7.1,
        0.7,
        "output stage\nAND, popcount,\ncounter from $2^w-1-r$,\ncarry = spike",
        LOGIC,
        1.9,
        1.1,
    )
    arrow(ax, (7.1, 1.52), (7.1, 1.3))
    arrow(ax, (5.65, 0.8), (6.1, 0.75))
    box(ax, 9.5, 3.0, "LFSRs: score draws\nr in 0..D-1", RANDOM, 1.7, 0.7)
    arrow(ax, (8.6, 3.0), (8.1, 3.0))
    box(ax, 9.5, 1.85, "seed scrambler", RANDOM, 1.7, 0.5)
    arrow(ax, (9.5, 2.13), (9.5, 2.6))
    arrow(ax, (9.5, 1.57), (9.5, 1.25))
    box(ax, 9.5, 0.9, "LFSRs: output draws\nr in 0..N-1", RANDOM, 1.7, 0.6)
    arrow(ax, (8.6, 0.85), (8.1, 0.8))
    box(ax, 9.5, 0.25, "row queue", MEMORY, 1.3, 0.4)
    arrow(ax, (8.1, 0.4), (8.8, 0.27))
    box(ax, 11.5, 0.25, "m_axis_o", STREAM, 1.2, 0.4)
    arrow(ax, (10.2, 0.25), (10.85, 0.25))
    figure.savefig(FOLDER / "ssa.svg")


if __name__ == "__main__":
    draw_ssa()
