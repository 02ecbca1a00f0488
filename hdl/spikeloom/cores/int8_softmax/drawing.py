"""Datapath of `int8_softmax`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...drawing import Drawing

if TYPE_CHECKING:
    from .core import Int8Softmax


def attention(core: Int8Softmax) -> Drawing:
    """Operands in memory, two rows of multipliers, scores between them."""
    d = Drawing("int8_softmax", 7.0, 4.4)
    for name, x, text in (
        ("q", 1.1, "two queries"),
        ("k", 2.9, "all tokens of K"),
        ("v", 5.6, "all tokens of V"),
    ):
        d.input(x, 3.9, name, width=1.1, height=0.4)
        d.arrow((x, 3.65), (x, 3.3))
        d.box(x, 3.05, text, "memory", 1.5, 0.4, f"{name}_memory")
    d.arrow((1.1, 2.8), (1.1, 2.35))
    d.arrow((2.9, 2.8), (2.9, 2.35))
    d.box(2.0, 1.95, "lanes multipliers\nadder tree, largest score", "logic", 2.6, 0.7, "scores")
    d.arrow((2.0, 1.55), (2.0, 1.1))
    d.box(2.0, 0.75, "scores of\nthree queries", "memory", 1.5, 0.6, "score_memory")
    d.arrow((2.75, 0.75), (3.75, 0.75), (3.75, 1.95), (4.2, 1.95))
    d.arrow((5.6, 2.8), (5.6, 2.35))
    d.box(
        5.5,
        1.95,
        "weights: a table and a shift\nlanes multipliers and sums",
        "logic",
        2.5,
        0.7,
        "values",
    )
    d.arrow((4.8, 1.55), (4.8, 1.1))
    d.box(4.8, 0.75, "division by the\nsum of weights", "logic", 1.4, 0.6, "normaliser")
    d.arrow((5.55, 0.75), (5.85, 0.75))
    d.output(6.4, 0.75, "o", width=1.0, height=0.4)
    d.leave_out("busy and done", "run_control")
    return d
