"""The critical path of a placed and routed design, in terms of source signals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from spikeloom.counted import counted
from spikeloom.families import FAMILIES

_BLOCK = re.compile(r"\.memory(?:\.\d+)+$")  # one block of a memory


@dataclass(frozen=True)
class Hop:
    """One segment of a path: delay of the logic of `signal` and of the routing to the next, in ns.

    ``levels`` counts its lookup tables; ``source`` is the source line of the signal.
    """

    signal: str
    logic: float
    routing: float
    levels: int
    source: str


def critical_path(report: Mapping[str, Any]) -> list[Hop]:
    """`Hop`s of the slowest register-to-register path in nextpnr's JSON report."""
    paths = [
        path
        for path in report.get("critical_paths", [])
        if path["from"].split()[0] == path["to"].split()[0] and "async" not in path["from"]
    ]
    if not paths:
        return []
    slowest = max(paths, key=lambda path: sum(step["delay"] for step in path["path"]))
    hops = []
    for step in slowest["path"]:
        routing = step["type"] == "routing"
        signal = source_name(step["from" if routing else "to"]["cell"])
        source = _source_line(step.get("sources", ()))
        hop = Hop(
            signal,
            0 if routing else step["delay"],
            step["delay"] if routing else 0,
            int(step["type"] == "logic"),
            source,
        )
        if hops and hops[-1].signal == signal:
            last = hops.pop()
            hop = Hop(
                signal,
                last.logic + hop.logic,
                last.routing + hop.routing,
                last.levels + hop.levels,
                last.source or source,
            )
        hops.append(hop)
    return [
        Hop(hop.signal, round(hop.logic, 2), round(hop.routing, 2), hop.levels, hop.source)
        for hop in hops
    ]


def summary(hops: Sequence[Hop]) -> str:
    """The path in one line."""
    if not hops:
        return "none"
    levels = sum(hop.levels for hop in hops)
    return f"{hops[0].signal} -> {hops[-1].signal}, {counted(levels, 'logic level')}"


def source_name(cell: str) -> str:
    """The signal name of a placed cell, without the suffixes added by synthesis."""
    return _BLOCK.sub("", _appended(tuple(FAMILIES)).split(cell.lstrip("$\\"))[0])


@cache
def _appended(families: tuple[str, ...]) -> re.Pattern:
    """Pattern of the suffixes that Yosys and nextpnr add to signal names, in any of `families`."""
    endings = [ending for name in families for ending in FAMILIES[name].APPENDED]
    return re.compile(rf"\$|_(?:{'|'.join(endings)})")


def _source_line(sources):
    """The first source line in a Spikeloom package, not in a library."""
    return next((source for source in sources if source.startswith("spikeloom")), "")
