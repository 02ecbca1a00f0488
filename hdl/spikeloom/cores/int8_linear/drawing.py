"""Datapath of `int8_linear`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...drawing import Drawing

if TYPE_CHECKING:
    from .core import Int8Linear


def layer(core: Int8Linear) -> Drawing:
    """Operands in memory, a row of multipliers, the rounding of a sum, a beat of outputs."""
    d = Drawing("int8_linear", 7.0, 4.4)
    for name, x, text in (
        ("x", 1.0, "two tokens"),
        ("w", 2.8, "all weights"),
        ("bias", 4.5, "of all outputs"),
        ("scale", 6.0, "of all outputs"),
    ):
        d.input(x, 3.9, name, width=1.1, height=0.4)
        d.arrow((x, 3.65), (x, 3.3))
        d.box(x, 3.05, text, "memory", 1.3, 0.4, f"{name}_memory")
        d.arrow((x, 2.8), (x, 2.35))
    d.box(1.9, 1.95, "lanes multipliers\nadder tree, sum", "logic", 2.6, 0.7, "sums")
    d.arrow((3.25, 1.95), (3.85, 1.95))
    d.box(5.25, 1.95, "sum + bias, times scale,\nrounding, limit", "logic", 2.7, 0.7, "requantiser")
    d.arrow((4.6, 1.55), (4.6, 1.1))
    d.box(4.6, 0.75, "a beat of lanes\noutputs, queue", "logic", 1.6, 0.6, "output")
    d.arrow((5.45, 0.75), (5.7, 0.75))
    d.output(6.25, 0.75, "y", width=1.0, height=0.4)
    d.leave_out("place of bias and scale", "complete")
    d.leave_out("busy and done", "run_control")
    return d
