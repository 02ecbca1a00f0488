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


def draw_spiked():
    """Streams, event and lane memories, the two products, encoders and WOSS."""
    figure, ax = canvas(13.2, 4.2)
    kept = {
        "q": "Q events\nspikes only",
        "k": "K codes\nall lanes",
        "v": "V events\n+ a line of ones",
    }
    for name, y in (("q", 3.6), ("k", 2.6), ("v", 0.7)):
        box(ax, 0.9, y, f"s_axis_{name}", STREAM, 1.2, 0.5)
        box(ax, 2.6, y, "row splitter", LOGIC, 1.2, 0.5)
        box(ax, 4.4, y, f"{kept[name]}\n2 banks", MEMORY, 1.5, 0.8)
        arrow(ax, (1.55, y), (1.95, y))
        arrow(ax, (3.25, y), (3.6, y))
    product = "trace product\nsteps add up, a table\ngives $B^{-(n+m)}$,\nlanes add or subtract"
    box(ax, 6.7, 3.1, product, LOGIC, 1.9, 1.1)
    arrow(ax, (5.2, 3.6), (5.7, 3.3))
    arrow(ax, (5.2, 2.6), (5.7, 2.9))
    box(ax, 9.1, 3.1, "phase encoders\nlogarithm, then\none threshold", LOGIC, 1.5, 0.9)
    arrow(ax, (7.7, 3.1), (8.3, 3.1), "sums")
    box(ax, 11.3, 3.1, "WOSS\nwinner, shift,\nfalling threshold", LOGIC, 1.6, 0.9)
    arrow(ax, (9.9, 3.1), (10.45, 3.1), "codes")
    box(ax, 6.7, 1.9, "probabilities\nall lanes, 2 banks", MEMORY, 1.8, 0.6)
    ax.plot([11.3, 11.3], [2.62, 1.9], color="0.3", linewidth=1)
    arrow(ax, (11.3, 1.9), (7.65, 1.9), "codes")
    box(ax, 6.7, 0.7, product, LOGIC, 1.9, 1.1)
    arrow(ax, (6.7, 1.57), (6.7, 1.28))
    arrow(ax, (5.2, 0.7), (5.7, 0.7))
    box(ax, 9.1, 0.7, "output encoders\nlog |sum| - log z", LOGIC, 1.6, 0.8)
    arrow(ax, (7.7, 0.7), (8.25, 0.7), "z, sums")
    box(ax, 11.0, 0.7, "codes\nof a token", MEMORY, 1.2, 0.6)
    arrow(ax, (9.95, 0.7), (10.35, 0.7))
    box(ax, 12.5, 0.7, "m_axis_o", STREAM, 1.0, 0.5)
    arrow(ax, (11.65, 0.7), (11.95, 0.7))
    figure.savefig(FOLDER / "spiked.svg")


def draw_a2os2a():
    """The two orders of the sums, side by side, and the neurons around either."""
    figure, ax = canvas(13.2, 7.2)
    ax.text(3.2, 7.0, "kv: state first", ha="center", fontsize=10, weight="bold")
    ax.text(9.9, 7.0, "qk: scores first", ha="center", fontsize=10, weight="bold")

    # kv
    for name, x in (("k", 1.2), ("v", 3.2), ("q", 5.2)):
        box(ax, x, 6.5, f"s_axis_{name}", STREAM, 1.1, 0.4)
        arrow(ax, (x, 6.28), (3.2 + (x - 3.2) * 0.4, 5.85))
    box(ax, 3.2, 5.5, "event scanner\nzeros leave no event", LOGIC, 2.4, 0.6)
    arrow(ax, (3.2, 5.18), (3.2, 4.75))
    ax.text(3.3, 4.97, "an event per clock", fontsize=7, color="0.3", va="center")
    box(ax, 3.2, 4.4, "state M\nD x Dv / lanes words", MEMORY, 2.0, 0.6)
    arrow(ax, (3.2, 4.08), (3.2, 3.65))
    ax.text(3.3, 3.87, "a word: lanes sums", fontsize=7, color="0.3", va="center")
    box(
        ax,
        3.2,
        3.2,
        "an adder per lane\nlearn: M + k v\nanswer: o + M",
        LOGIC,
        1.9,
        0.8,
    )
    ax.plot([2.22, 1.2, 1.2], [3.2, 3.2, 4.4], color="0.3", linewidth=1)
    arrow(ax, (1.2, 4.4), (2.17, 4.4), "learnt")
    arrow(ax, (4.18, 3.2), (4.9, 3.2))
    box(ax, 5.5, 3.2, "m_axis_o", STREAM, 1.1, 0.4)

    # qk
    for name, x in (("k", 8.0), ("q", 9.9), ("v", 12.0)):
        box(ax, x, 6.5, f"s_axis_{name}", STREAM, 1.1, 0.4)
    arrow(ax, (8.0, 6.28), (8.0, 5.85))
    box(ax, 8.0, 5.5, "K of tokens kept", MEMORY, 1.6, 0.6)
    arrow(ax, (8.0, 5.18), (8.0, 4.65))
    ax.text(7.9, 4.92, "a row per clock", fontsize=7, color="0.3", va="center", ha="right")
    box(ax, 8.0, 4.2, "gated by Q\nadder tree", LOGIC, 1.6, 0.8)
    ax.plot([9.9, 9.9], [6.28, 4.2], color="0.3", linewidth=1)
    arrow(ax, (9.9, 4.2), (8.85, 4.2), "spikes")
    arrow(ax, (8.0, 3.78), (8.0, 3.5))
    box(ax, 8.0, 3.2, "lists of scores\nthat are not zero", MEMORY, 1.6, 0.6)
    arrow(ax, (8.85, 3.2), (9.55, 3.2), "score")
    box(ax, 10.4, 3.2, "an adder per lane\no + score v", LOGIC, 1.6, 0.8)
    arrow(ax, (12.0, 6.28), (12.0, 4.65))
    box(ax, 12.0, 4.3, "V of tokens kept", MEMORY, 1.5, 0.6)
    arrow(ax, (11.6, 3.97), (11.0, 3.65))
    arrow(ax, (11.25, 3.2), (11.75, 3.2))
    box(ax, 12.35, 3.2, "m_axis_o", STREAM, 1.1, 0.4)

    # The block
    ax.plot([0.3, 12.9], [2.55, 2.55], color="0.7", linewidth=0.8, linestyle="--")
    ax.text(0.4, 2.3, "a2os2a_block", fontsize=10, weight="bold")
    kinds = {"q": "binary neurons", "k": "ReLU, quantised", "v": "ternary neurons"}
    for name, y in (("q", 1.8), ("k", 1.1), ("v", 0.4)):
        box(ax, 1.2, y, f"s_axis_{name}", STREAM, 1.1, 0.4)
        arrow(ax, (1.8, y), (2.4, y))
        box(ax, 3.2, y, kinds[name], LOGIC, 1.5, 0.45)
        if name == "k":
            arrow(ax, (4.0, y), (6.75, y))
        else:
            arrow(ax, (4.0, y), (4.6, y))
            box(ax, 5.3, y, "tokens", MEMORY, 1.3, 0.45)
            arrow(ax, (6.0, y), (6.75, 1.1 + (y - 1.1) * 0.4))
    box(ax, 7.6, 1.1, "a2os2a", LOGIC, 1.6, 0.9)
    arrow(ax, (8.45, 1.1), (9.1, 1.1))
    box(ax, 9.9, 1.1, "binary neurons", LOGIC, 1.5, 0.45)
    arrow(ax, (10.7, 1.1), (11.3, 1.1))
    box(ax, 11.95, 1.1, "m_axis_o", STREAM, 1.1, 0.4)
    ax.text(
        9.9,
        0.45,
        "potentials in block RAM from step to step",
        fontsize=7,
        color="0.3",
        ha="center",
    )
    figure.savefig(FOLDER / "a2os2a.svg")


if __name__ == "__main__":
    draw_ssa()
    draw_spiked()
    draw_a2os2a()
