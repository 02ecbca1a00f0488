"""Memories of a netlist as ports, for proofs that need no contents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_PARAMETER = re.compile(r"    parameter \\(\w+) (?:\d+'([01]+)|(\d+))")
_CONNECTION = re.compile(r"    connect \\(\w+) (.+)")
_MEMORY = "  cell $mem_v2 "
_FIRST_PORT = 10_000  # above the numbers of the ports that are there; Yosys counts them anew


def without_memories(rtlil: str) -> str:
    """The flat module in Yosys' RTLIL with each ``$mem_v2`` cell replaced by ports, which have its
    name: what is read from a memory is an input, and what goes to it (addresses, enables, data) are
    outputs. Addresses and data are 0 while they are not enabled.

    Two designs of which these outputs are equal for the same inputs are equivalent with their
    memories as well: equal memories that get the same answer the same, and so on from power-up.
    """
    ports, lines = [], []
    for cell in _cells(rtlil):
        if not _is_memory(cell):
            lines += cell
            continue
        parameters = _parameters(cell)
        (memory,) = (line.split()[2] for line in cell if line.startswith(_MEMORY))
        signals = dict(filter(None, map(_connection, cell)))
        for port, signal in signals.items():
            width = _width(port, parameters)
            if not width:
                continue
            wire, read = f"\\{port}:{memory}", port == "RD_DATA"
            direction = f"{'input' if read else 'output'} {_FIRST_PORT + len(ports)}"
            ports.append(f"  wire width {width} {direction} {wire}")
            if read:
                lines.append(f"  connect {signal} {wire}")
            elif enables := _enables(port, signals, parameters):
                lines += _where_enabled(f"$enabled${port}:{memory}", enables, signal, wire)
            else:
                lines.append(f"  connect {wire} {signal}")
    (module,) = (n for n, line in enumerate(lines) if line.startswith("module "))
    return "\n".join([*lines[: module + 1], *ports, *lines[module + 1 :]]) + "\n"


def memory_bits(rtlil: str) -> int:
    """Bits of all memories of a flat module in RTLIL."""
    memories = map(_parameters, filter(_is_memory, _cells(rtlil)))
    return sum(one["WIDTH"] * one["SIZE"] for one in memories)


def _cells(rtlil: str) -> Iterator[list[str]]:
    """The lines of each cell with its attributes; other lines alone."""
    attributes: list[str] = []
    cell: list[str] = []
    for line in rtlil.splitlines():
        if cell:
            cell.append(line)
            if line == "  end":
                yield cell
                cell = []
        elif line.startswith("  attribute "):
            attributes.append(line)
        elif line.startswith("  cell "):
            cell, attributes = [*attributes, line], []
        else:
            yield [*attributes, line]
            attributes = []


def _is_memory(cell: Iterable[str]) -> bool:
    return any(line.startswith(_MEMORY) for line in cell)


def _connection(line: str) -> tuple[str, str] | None:
    found = _CONNECTION.match(line)
    return (found[1], found[2]) if found else None


def _parameters(cell: Iterable[str]) -> dict[str, int]:
    """The parameters of a memory that are numbers."""
    found = filter(None, map(_PARAMETER.fullmatch, cell))
    return {one[1]: int(one[2], 2) if one[2] else int(one[3]) for one in found}


def _width(port: str, parameters: dict[str, int]) -> int:
    """Bits of a port of a memory; 0 for a clock."""
    side, _, what = port.partition("_")
    if what == "CLK":
        return 0
    one = {"ADDR": parameters["ABITS"], "DATA": parameters["WIDTH"]}.get(what, 1)
    if port == "WR_EN":
        one = parameters["WIDTH"]
    return parameters[f"{side}_PORTS"] * one


def _enables(port: str, signals: dict[str, str], parameters: dict[str, int]) -> list[str]:
    """For each bit of a port the bits any of which enables it; of an enable, nothing."""
    side, _, what = port.partition("_")
    if what not in ("ADDR", "DATA"):
        return []
    enable, width = signals[f"{side}_EN"], parameters["WIDTH"]
    count = parameters[f"{side}_PORTS"]
    if what == "DATA":
        return [f"{enable} [{bit}:{bit}]" for bit in range(count * width)]
    each = width if side == "WR" else 1  # enables of a port
    found = [f"{enable} [{port * each + each - 1}:{port * each}]" for port in range(count)]
    return [one for one in found for _ in range(parameters["ABITS"])]


def _where_enabled(name: str, enables: list[str], signal: str, wire: str) -> list[str]:
    """Cells that make `wire` the bits of `signal` that are enabled, and 0 in the other ones."""
    lines = []
    for bit, enable in enumerate(enables):
        lines += [
            f"  cell $logic_and {name}${bit}",
            *(f"    parameter \\{side}_SIGNED 0" for side in "AB"),
            f"    parameter \\A_WIDTH {_slice_bits(enable)}",
            "    parameter \\B_WIDTH 1",
            "    parameter \\Y_WIDTH 1",
            f"    connect \\A {enable}",
            f"    connect \\B {signal} [{bit}]",
            f"    connect \\Y {wire} [{bit}]",
            "  end",
        ]
    return lines


def _slice_bits(signal: str) -> int:
    """Bits of a signal that ends in ``[last:first]``."""
    last, first = signal.rpartition("[")[2].rstrip("]").split(":")
    return int(last) - int(first) + 1
