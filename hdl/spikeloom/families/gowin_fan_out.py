"""Divides nets of 11 to 50 sinks, for nextpnr's router of long wires on Gowin.

Before it routes, nextpnr-himbaechel-gowin 0.11 gives a net of 8 to 50 sinks with more than 10 of
them far from the source to the long wires of a column. Where those are taken it searches up to a
million wires for each sink, minutes for each net, and no option leaves the step out. A net of at
most 10 sinks is routed as usual. Flip-flops and LUTs are copied, so the depth of the logic stays;
other cells drive LUTs that copy their output.
"""

from __future__ import annotations

import json
from collections import defaultdict
from copy import deepcopy
from pathlib import Path
from typing import Any

FEW, MANY = 10, 50  # nets of more than FEW and at most MANY sinks are divided
ENOUGH = 100  # such nets; the long wires suffice for fewer
DIVIDED = "nets divided for long wires"
COPIES = "cells added for them"
ROUNDS = 20  # copies have inputs, whose nets grow

COPIED = ("DFF", "LUT1", "LUT2", "LUT3", "LUT4")
OUTPUTS = ("Q", "F")
FIXED = ("CLK", "CLKA", "CLKB", "WCK", "CI", "CIN")  # clocks and carries have wires of their own


def divide_nets(netlist: Path) -> dict[str, int]:
    """Divide nets, if there are more than `ENOUGH`, in a netlist of synth_gowin as JSON.

    Returns the number of nets and of cells added.
    """
    design = json.loads(netlist.read_text())
    counts = {DIVIDED: 0, COPIES: 0}
    for module in design["modules"].values():
        if "top" not in module.get("attributes", {}):
            continue
        division = _Division(module)
        if len(division.wide_nets()) <= ENOUGH:
            continue
        for _ in range(ROUNDS):
            wide = division.wide_nets()
            if not wide:
                break
            counts[DIVIDED] += len(wide)
            counts[COPIES] += sum(division.divide(bit) for bit in wide)
    if counts[COPIES]:
        netlist.write_text(json.dumps(design))
        return counts
    return {}


class _Division:
    """The nets of one module, which follow the changes."""

    def __init__(self, module: dict[str, Any]) -> None:
        self._cells = module["cells"]
        self._sources: dict[int, tuple[str, str]] = {}
        self._sinks = defaultdict(list)
        self._left = set()  # nets that are not divided
        for name, cell in self._cells.items():
            self._connect(name, cell)
        for port in module["ports"].values():
            self._left.update(port["bits"])
        self._next = 1 + max(bit for bit in [*self._sources, *self._sinks] if isinstance(bit, int))

    def _connect(self, name, cell):
        for port, bits in cell["connections"].items():
            for place, bit in enumerate(bits):
                if isinstance(bit, str):  # a constant
                    continue
                if cell["port_directions"][port] == "output":
                    self._sources[bit] = (name, port)
                else:
                    self._sinks[bit].append((name, port, place))
                    if port in FIXED:
                        self._left.add(bit)

    def wide_nets(self) -> list[int]:
        """The nets to divide."""
        return [
            bit
            for bit, sinks in self._sinks.items()
            if FEW < len(sinks) <= MANY and bit in self._sources and bit not in self._left
        ]

    def divide(self, bit: int) -> int:
        """Give all but `FEW` sinks of a net to copies of its source; returns their number."""
        source, port = self._sources[bit]
        cell = self._cells[source]
        copied = cell["type"].startswith(COPIED) and port in OUTPUTS
        # A multiplexer is beside the multiplexers that it selects from.
        fixed = [] if copied else [one for one in self._sinks[bit] if self._selected(*one)]
        moved = [one for one in self._sinks[bit] if one not in fixed]
        room = max(FEW - len(fixed) - (0 if copied else -(-len(moved) // FEW)), 0)
        kept, moved = moved[:room], moved[room:]
        groups = [moved[n : n + FEW] for n in range(0, len(moved), FEW)]
        self._sinks[bit] = fixed + kept
        for group in groups:
            self._add(cell if copied else _follower(bit), source, group)
        if not groups:
            self._left.add(bit)
        return len(groups)

    def _selected(self, name, port, _):
        """Whether an input is one between which a multiplexer selects."""
        return self._cells[name]["type"].startswith("MUX2") and port != "S0"

    def _add(self, like, source, sinks):
        """A copy of the cell `like`, called after `source`, which drives `sinks`."""
        output = self._next
        self._next += 1
        name = f"{source}$copy{output}"
        cell = deepcopy(like)
        (port,) = [one for one, way in cell["port_directions"].items() if way == "output"]
        cell["connections"][port] = [output]
        self._cells[name] = cell
        self._connect(name, cell)
        for sink, end, place in sinks:
            self._cells[sink]["connections"][end][place] = output
            self._sinks[output].append((sink, end, place))


def _follower(bit):
    """A LUT whose output is net `bit`."""
    return {
        "hide_name": 0,
        "type": "LUT1",
        "parameters": {"INIT": "10"},
        "attributes": {},
        "port_directions": {"F": "output", "I0": "input"},
        "connections": {"F": [], "I0": [bit]},
    }
