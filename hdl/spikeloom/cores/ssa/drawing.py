"""Datapaths of the two engines of `ssa`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...drawing import Drawing

if TYPE_CHECKING:
    from .core import SSA

DRAWS = "AND, popcount,\ncounter from 2ʷ - 1 - r,\ncarry = spike"


def counter() -> Drawing:
    """Streams, operand memories, the two stages, the output queue."""
    d = Drawing("ssa", 12.4, 4.3)
    for name, y in (("q", 3.5), ("k", 2.5), ("v", 0.8)):
        d.input(0.9, y, name, f"{name}_framed")
        d.box(2.8, y, "row splitter\nor encoders", "logic", 1.5, 0.7, f"{name}_feed")
        d.box(4.9, y, f"{name.upper()} spikes\n2 banks", "memory", 1.4, 0.7, f"{name}_operand")
        d.arrow((1.55, y), (2.0, y))
        d.arrow((3.6, y), (4.15, y))

    d.box(7.1, 3.0, f"score stage\n{DRAWS}", "logic", 1.9, 1.1, "scores")
    d.box(7.1, 1.85, "scores S\nring of banks", "memory", 1.4, 0.6, "score_memory")
    d.box(7.1, 0.7, f"output stage\n{DRAWS}", "logic", 1.9, 1.1, "output")
    d.arrow((5.65, 3.5), (6.1, 3.2))
    d.arrow((5.65, 2.5), (6.1, 2.8))
    d.arrow((7.1, 2.4), (7.1, 2.2))
    d.label(7.2, 2.3, "mask", "left")
    d.arrow((7.1, 1.52), (7.1, 1.3))
    d.arrow((5.65, 0.8), (6.1, 0.75))

    d.box(9.5, 3.0, "LFSRs: score draws\nr in 0..D-1", "random", 1.7, 0.7, "scores.cells.source")
    d.box(9.5, 1.95, "seed scrambler", "random", 1.7, 0.5, "scrambler")
    d.box(9.5, 1.1, "LFSRs: output draws\nr in 0..N-1", "random", 1.7, 0.6, "output.cells.source")
    d.arrow((9.5, 2.23), (9.5, 2.6))
    d.arrow((9.5, 1.67), (9.5, 1.45))
    d.arrow((8.6, 3.0), (8.1, 3.0))
    d.arrow((8.6, 1.0), (8.1, 0.9))

    d.box(9.5, 0.35, "row queue", "memory", 1.3, 0.4, "rows")
    d.output(11.5, 0.35, "o", height=0.4)
    d.arrow((8.1, 0.4), (8.8, 0.37))
    d.arrow((10.2, 0.35), (10.85, 0.35))
    d.leave_out("busy and done", "run_control")
    return d


def sampled(core: SSA) -> Drawing:
    """Streams, corner turns, memories read along diagonals, a lane of the pipeline."""
    d = Drawing("ssa-sampled", 13.6, 4.3)
    rows = {"q": 3.7, "k": 2.4, "v": 0.7}
    left, turn = 1.45, 3.0  # start of the rows; middle of the corner turns
    for name, y in rows.items():
        d.input(0.8, y, name, f"{name}_framed")
    if core.by_value:
        left, turn = 2.8, 3.8
        for name, y in rows.items():
            parts = (f"{name}_encoder", f"{name}_gatherer")
            d.box(2.2, y, "encoders with\ninputs = values", "logic", 1.1, 0.5, *parts)
            d.arrow((1.45, y), (1.6, y))
    for name in "kv":
        y = rows[name]
        text = f"{name.upper()} by diagonals\nbanks of N words"
        d.box(turn, y, "corner turn\nwith feed = rows", "logic", 1.3, 0.7, f"{name}_operand.turn")
        d.box(5.55, y, text, "memory", 1.4, 0.7, f"{name}_operand")
        d.arrow((left, y), (turn - 0.7, y))
        d.arrow((turn + 0.7, y), (4.8, y))
    _pipeline(d)

    d.box(
        9.2,
        3.7,
        "LFSRs: s below D, b below N,\nfor every query of every lane",
        "random",
        2.3,
        0.7,
        "indices",
    )
    d.box(12.0, 3.7, "seed scrambler", "random", 1.3, 0.5, "scrambler")
    d.arrow((11.3, 3.7), (10.4, 3.7))
    if core.mask == "none":
        d.arrow((left, 3.7), (7.2, 3.7), (7.2, 2.8))
    else:
        d.box(7.2, 3.7, f"mask:\n{core.mask}", "logic", 0.7, 0.6, "admission_*")
        d.arrow((left, 3.7), (6.8, 3.7))
        d.arrow((7.2, 3.35), (7.2, 2.8))
        d.arrow((8.0, 3.7), (7.6, 3.7), text="b")
    d.leave_out("busy and done", "run_control")
    d.leave_out("claims K's and V's banks for a round of queries", "round_banks")
    d.leave_out("counts the queries issued", "issued")
    return d


def _pipeline(d: Drawing) -> None:
    """From the operand memories to the output."""
    d.box(7.2, 2.4, "AND", "logic", 0.7, 0.7, "lane_*")
    d.box(8.9, 2.4, "rotate by s\na bit of s per register", "logic", 1.7, 0.7, "lane_*")
    d.box(10.8, 2.4, "AND", "logic", 0.7, 0.7, "lane_*")
    d.box(11.85, 2.4, "skid\nbuffer", "memory", 0.7, 0.7, "output")
    d.output(12.95, 2.4, "o", width=0.9)
    d.arrow((6.3, 2.4), (6.8, 2.4), text="word b")
    d.arrow((7.6, 2.4), (8.0, 2.4))
    d.arrow((9.8, 2.4), (10.4, 2.4))
    d.arrow((11.2, 2.4), (11.45, 2.4))
    d.arrow((12.25, 2.4), (12.45, 2.4))
    d.arrow((8.9, 3.3), (8.9, 2.8))
    d.label(8.97, 3.07, "s", "left")
    d.label(12.2, 1.8, "a query per cycle and lane")
    # s and b address the word of V.
    d.box(7.6, 1.4, "(s + b) mod N", "logic", 1.2, 0.4, "address_*")
    d.arrow((10.1, 3.3), (10.1, 1.4), (8.25, 1.4), text="s, b")
    d.arrow((6.95, 1.4), (5.55, 1.4), (5.55, 1.1))
    d.arrow((6.3, 0.7), (10.8, 0.7), (10.8, 2.0))
    d.label(7.6, 0.8, "word (s + b) mod N")
