"""Points that Verilator counts: lines, branches, toggles and bins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spikeloom.export.readable_names import ONCE

from .bins import MARK, Bin

KINDS = ("line", "branch", "toggle", "bin")

_ENTRY = re.compile(r"C '(.*)' (\d+)$")
_CONDITION = re.compile(r"(\w+(?:\[\d+\])?) \?")


@dataclass(frozen=True)
class Point:
    """Something that is counted.

    Parameters
    ----------
    kind : one of `KINDS`. A line is a block of statements that run together.
    module : name of the module.
    what : the line and the case of it, the bit and its change, or the bin.
    net, value : net, with its bit, that must have or take this value.
    """

    kind: str
    module: str
    what: str
    net: str | None = None
    value: int | None = None

    def __str__(self) -> str:
        return self.what if self.kind == "bin" else f"{self.module}: {self.what}"


def read_points(path: Path, file: str, text: str, bins: Iterable[Bin]) -> dict[Point, int]:
    """Points of the Verilog `file`, with this text, in Verilator's ``coverage.dat``: their counts.

    What serves simulators only, and the statements of the bins themselves, are left out.
    """
    lines = text.splitlines()
    chosen = {one.label: one for one in bins}
    found: dict[Point, int] = {}
    for entry in path.read_text().splitlines():
        matched = _ENTRY.match(entry)
        if not matched:
            continue
        fields = dict(pair.split("\x02", 1) for pair in matched[1].split("\x01") if pair)
        if Path(fields["f"]).name != file:
            continue
        kind, module = fields["page"].removeprefix("v_").split("/", 1)
        point = _point(kind, module, fields, lines, chosen)
        if point is not None:
            found[point] = found.get(point, 0) + int(matched[2])
    return found


def _point(kind, module, fields, lines, bins) -> Point | None:
    label, number = fields["o"], int(fields["l"])
    if kind == "user":
        one = bins[label]
        return Point("bin", module, f"{one.group}: {one.what}")
    line = lines[number - 1].strip()
    if line.endswith(MARK.strip()) or ONCE in line or ONCE in label:
        return None
    if kind == "toggle":
        net, change = label.rsplit(":", 1)
        # The words of a memory are no nets, and nothing is proved of them.
        of_a_net = re.fullmatch(r"\w+(\[\d+\])?", net)
        what = f"{net} {change}"
        return Point("toggle", module, what, net if of_a_net else None, int(change[-1]))
    where = f"line {number}, {label}: {line}"
    net, value = _decides(label, line, int(fields["n"]), lines[number - 1])
    return Point(kind, module, where, net, value)


def _decides(label, line, column, whole):
    """The net that decides about a branch, and its value; None if it is no single net."""
    value = {"if": 1, "else": 0, "cond_then": 1, "cond_else": 0}.get(label)
    if value is None:
        return None, None
    if label in ("if", "else"):
        found = re.search(r"\bif \((!?)(\w+(?:\[\d+\])?)\)", line)
        return (found[2], value ^ bool(found[1])) if found else (None, None)
    # Of several conditions in a line, the last that begins before the column.
    nets = [found[1] for found in _CONDITION.finditer(whole) if found.start() <= column]
    return (nets[-1], value) if nets else (None, None)
