"""Points that no test can reach, with the reason: those that no proof finds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from spikeloom.stream_unit import StreamUnit

if TYPE_CHECKING:
    from spikeloom.contract import Core

    from .points import Point


def _unit(core: Core) -> bool:
    return isinstance(core, StreamUnit)


def _without_operands(core: Core) -> bool:
    return not core.inputs


def _any(core: Core) -> bool:
    return True


REASONS: list[tuple[Callable[[Core], bool], str, str]] = [
    (_any, r"branch .*, (if: if \(1'h0\)|else: if \(1'h1\))", "the configuration leaves no choice"),
    (
        _without_operands,
        r"bin streams: output \w+ waits for valid, between outputs",
        "a source of random numbers has one in every cycle",
    ),
    (
        lambda core: core.NAME == "bitstream_encoder",
        r"bin streams: input \w+ (transfers|waits for valid), between outputs",
        "all values are read before the first output",
    ),
    (
        lambda core: core.NAME == "bitstream_encoder",
        r"bin streams: output \w+ waits for valid, between outputs",
        "as soon as it has its operands, it has a beat in every cycle",
    ),
    (
        lambda core: core.NAME == "trace_product",
        r"bin streams: input \w+ (transfers|waits for valid), between outputs",
        "a product begins when both operands are complete",
    ),
    (
        _unit,
        r"bin streams: input \w+ (transfers|waits for valid), (idle|done)",
        "a unit is ready for operands only in a run",
    ),
    (
        lambda core: core.NAME == "spiked" and min(p.shape[-1] for p in core.inputs.values()) > 1,
        r"bin streams: input \w+ waits for valid, ",
        "a beat is accepted with the last of its codes, so ready follows valid",
    ),
]
"""(which cores, pattern of a point's kind and text, reason)."""


def reason_for(core: Core, point: Point) -> str | None:
    """Why no test of `core` can reach a point; None if nothing is known."""
    text = f"{point.kind} {point}"
    if _is_padding(core, text):
        return "a bit of tdata beyond the elements, which the core does not read"
    for concerns, pattern, reason in REASONS:
        if concerns(core) and re.search(pattern, text):
            return reason
    return None


def _is_padding(core: Core, text: str) -> bool:
    found = re.match(r"toggle \w+: s_axis_(\w+)_tdata\[(\d+)\]", text)
    if not found:
        return False
    ports = core.inputs | {name: load[0] for name, load in core.loads.items()}
    return int(found[2]) >= ports[found[1]].bits
