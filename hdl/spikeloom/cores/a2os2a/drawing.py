"""Datapaths of the two orders of `a2os2a`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...drawing import Drawing

if TYPE_CHECKING:
    from .core import A2OS2A


def attention(core: A2OS2A) -> Drawing:
    """The datapath for the order of sums of the core."""
    d = scores_first() if core.chosen_order == "qk" else state_first()
    d.leave_out("busy and done", "run_control")
    d.leave_out("counts the sequences let in", "taken")
    return d


def state_first() -> Drawing:
    """Operands as events, the state in memory, one adder per lane."""
    d = Drawing("a2os2a", 6.6, 4.6, "kv: state first")
    for name, x in (("k", 1.2), ("v", 3.2), ("q", 5.2)):
        d.input(x, 3.9, name, f"{name}_register", width=1.1, height=0.4)
        d.arrow((x, 3.65), (3.2 + (x - 3.2) * 0.4, 3.25))
    d.box(
        3.2,
        2.9,
        "event scanner\nzeros leave no event",
        "logic",
        2.4,
        0.6,
        "attention.events",
        "attention.late",
    )
    d.arrow((3.2, 2.55), (3.2, 2.15))
    d.label(3.3, 2.37, "an event per cycle", "left")
    d.box(3.2, 1.8, "state M\nD x Dv / lanes words", "memory", 2.0, 0.6, "attention.sums.memory_*")
    d.arrow((3.2, 1.45), (3.2, 1.05))
    d.label(3.3, 1.27, "a word: lanes sums", "left")
    d.box(
        3.2,
        0.6,
        "an adder per lane\nlearn: M + k v\nanswer: o + M",
        "logic",
        1.9,
        0.8,
        "attention.sums.",
    )
    d.arrow((2.2, 0.6), (1.2, 0.6), (1.2, 1.8), (2.15, 1.8), text="learnt")
    d.arrow((4.2, 0.6), (4.9, 0.6))
    d.output(5.5, 0.6, "o", width=1.1, height=0.4)
    return d


def scores_first() -> Drawing:
    """K and V in memory, a row of scores, one adder per lane."""
    d = Drawing("a2os2a", 6.6, 4.6, "qk: scores first")
    for name, x in (("k", 1.4), ("q", 3.3), ("v", 5.4)):
        d.input(x, 3.9, name, f"{name}_register", width=1.1, height=0.4)
    d.arrow((1.4, 3.65), (1.4, 3.25))
    d.box(1.4, 2.9, "K of tokens kept", "memory", 1.6, 0.6, "attention.scores.memory")
    d.arrow((1.4, 2.55), (1.4, 2.1))
    d.label(1.5, 2.35, "a row per cycle", "left")
    d.box(1.4, 1.65, "gated by Q\nadder tree", "logic", 1.6, 0.8, "attention.scores")
    d.arrow((3.3, 3.65), (3.3, 1.65), (2.25, 1.65), text="spikes")
    d.arrow((1.4, 1.2), (1.4, 0.95))
    d.box(1.4, 0.6, "lists of scores\nthat are not zero", "memory", 1.6, 0.6, "attention.lists")
    d.arrow((2.25, 0.6), (2.95, 0.6), text="score")
    d.box(3.8, 0.6, "an adder per lane\no + score v", "logic", 1.6, 0.8, "attention.sums.")
    d.arrow((5.4, 3.65), (5.4, 2.1))
    d.box(5.4, 1.75, "V of tokens kept", "memory", 1.5, 0.6, "attention.sums.memory")
    d.arrow((5.0, 1.4), (4.4, 1.05))
    d.arrow((4.65, 0.6), (5.1, 0.6))
    d.output(5.75, 0.6, "o", "attention.output", width=1.1, height=0.4)
    return d
