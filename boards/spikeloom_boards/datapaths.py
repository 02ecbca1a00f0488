"""Datapath pictures of the cores: in reports, and for the documentation by
``python -m spikeloom_boards.datapaths docs``."""

import io
import sys
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

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
    return figure


def draw_ssa_sampled():
    """Streams, corner turns, memories read along diagonals, a lane of the pipeline."""
    figure, ax = canvas(12.6, 4.3)
    for name, y in (("k", 2.4), ("v", 0.7)):
        box(ax, 0.8, y, f"s_axis_{name}", STREAM, 1.2, 0.5)
        box(ax, 2.6, y, "corner turn\nwith feed = rows", LOGIC, 1.6, 0.7)
        box(ax, 4.8, y, f"{name.upper()} by diagonals\nbanks of N words", MEMORY, 1.6, 0.7)
        arrow(ax, (1.45, y), (1.75, y))
        arrow(ax, (3.45, y), (3.95, y))
    box(ax, 0.8, 3.7, "s_axis_q", STREAM, 1.2, 0.5)
    ax.plot([1.45, 6.9], [3.7, 3.7], color="0.3", linewidth=1)
    arrow(ax, (6.9, 3.7), (6.9, 2.85), "")
    box(ax, 6.9, 2.4, "AND", LOGIC, 0.9, 0.7)
    arrow(ax, (5.65, 2.4), (6.4, 2.4), "word b")
    box(ax, 8.7, 2.4, "rotate by s\na bit of s per register", LOGIC, 1.9, 0.7)
    arrow(ax, (7.4, 2.4), (7.7, 2.4))
    box(ax, 10.5, 2.4, "AND", LOGIC, 0.9, 0.7)
    arrow(ax, (9.7, 2.4), (10.0, 2.4))
    ax.plot([5.65, 10.5], [0.7, 0.7], color="0.3", linewidth=1)
    ax.text(7.4, 0.76, "word (s + b) mod N", fontsize=7, color="0.3")
    arrow(ax, (10.5, 0.7), (10.5, 2.0))
    box(ax, 11.9, 2.4, "m_axis_o", STREAM, 1.1, 0.5)
    arrow(ax, (11.0, 2.4), (11.3, 2.4))
    box(
        ax,
        9.3,
        3.75,
        "LFSRs: s below D, b below N,\nfor every query of every lane",
        RANDOM,
        2.4,
        0.7,
    )
    arrow(ax, (8.9, 3.35), (8.75, 2.8), "")
    ax.text(8.2, 1.55, "a query per clock and lane", fontsize=8, color="0.3", ha="center")
    return figure


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
    return figure


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
    return figure


def draw_link():
    """The line, framing, requests and answers, buffers, the core; and a frame."""
    figure, ax = canvas(12.4, 4.2)
    box(ax, 0.7, 3.5, "rx", STREAM, 0.8, 0.5)
    box(ax, 0.7, 1.9, "tx", STREAM, 0.8, 0.5)
    chains = {
        3.5: ("UART\nreceiver", "escapes out,\nCRC-32 checked", "request:\nfields, payload"),
        1.9: ("UART\ntransmitter", "escapes in,\nCRC-32 added", "answer:\nfields, payload"),
    }
    for y, blocks in chains.items():
        for x, text in zip((2.1, 3.9, 5.9), blocks, strict=True):
            box(ax, x, y, text, LOGIC, 1.3, 0.7)
        for left, right in ((1.15, 1.4), (2.8, 3.2), (4.6, 5.2)):
            arrow(ax, (left, y) if y > 3 else (right, y), (right, y) if y > 3 else (left, y))
    box(ax, 5.9, 2.7, "sequence, code", LOGIC, 1.3, 0.4)
    arrow(ax, (5.9, 3.1), (5.9, 2.94))
    arrow(ax, (5.9, 2.46), (5.9, 2.3))
    for name, y in (("q", 3.8), ("k", 3.2), ("v", 2.6)):
        box(ax, 8.2, y, f"chunk of {name}, 256 bytes", MEMORY, 1.9, 0.4)
        arrow(ax, (6.6, 3.5 if y > 2.7 else 3.4), (7.2, y))
        arrow(ax, (9.2, y), (10.2, y))
    box(ax, 8.2, 1.9, "output bytes, queue of 512", MEMORY, 1.9, 0.4)
    arrow(ax, (7.2, 1.9), (6.6, 1.9))
    arrow(ax, (10.2, 1.9), (9.2, 1.9))
    box(ax, 8.2, 1.3, "identity, cycle counter", MEMORY, 1.9, 0.4)
    arrow(ax, (7.2, 1.3), (6.6, 1.7))
    box(ax, 11.1, 2.85, "core", LOGIC, 1.7, 2.3)
    fields = ("7E", "sequence", "command\n(code)", "argument\n(state)", "payload", "CRC-32", "7E")
    edge = 1.9
    for text, width in zip(fields, (0.5, 1.0, 1.0, 1.0, 3.4, 1.3, 0.5), strict=True):
        box(ax, edge + width / 2, 0.45, text, RANDOM if "7E" in text else STREAM, width, 0.5)
        edge += width + 0.08
    return figure


PICTURES = {
    "ssa": draw_ssa,
    "ssa-sampled": draw_ssa_sampled,
    "a2os2a": draw_a2os2a,
    "spiked": draw_spiked,
    "link": draw_link,
}


def datapath_svg(core, engine=None):
    """The picture of `core`, with the given engine, as SVG with its text as text; "" if none."""
    core = f"{core}-{engine}" if f"{core}-{engine}" in PICTURES else core
    if core not in PICTURES:
        return ""
    written = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "spikeloom"}):
        PICTURES[core]().savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()


if __name__ == "__main__":
    for core in PICTURES:
        (Path(sys.argv[1]) / f"{core}.svg").write_text(datapath_svg(core))
