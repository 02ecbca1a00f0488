"""Memories and submodules of a netlist as ports, for proofs that need no contents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MEMORY_BITS = 4096  # of all memories of a circuit whose contents take part in proofs
TABLE_BITS = 8192  # of a read-only memory whose contents take part in proofs

_PARAMETER = re.compile(r"    parameter \\(\w+) (?:\d+'([01]+)|(\d+))")
_CONNECTION = re.compile(r"    connect (\\\w+) (.+)")
_MODULE = re.compile(r"^module (\S+)\n(.*?)^end\n", re.MULTILINE | re.DOTALL)
_PORT = re.compile(
    r"  wire (?:width (\d+) )?(?:(?:signed|upto|offset \d+) )*(input|output|inout) \d+ (\S+)"
)
_CELL = "  cell "
_MEMORY = "$mem_v2"
_CLOCKS = ("\\clk", "\\RD_CLK", "\\WR_CLK")
_FIRST_PORT = 10_000  # above the numbers of the ports that are there; Yosys counts them anew


def only_logic(rtlil: str, top: str) -> str:
    """Module `top` in Yosys' RTLIL with each ``$mem_v2`` cell and each instance of another module
    replaced by ports, which have its name: what comes from it is an input, and what goes to it is
    an output. Addresses and data of memories are 0 while they are not enabled. Memories of up to
    `TABLE_BITS` that nothing writes stay.

    Two designs of which these outputs are equal for the same inputs are equivalent with their
    memories and submodules as well, if these are equal: they answer the same as long as they get
    the same, and so on from power-up.
    """
    modules = {found[1]: found[2] for found in _MODULE.finditer(rtlil)}
    ports, lines = [], []
    for cell in _cells(modules[f"\\{top}"]):
        kind, name = _kind(cell)
        parameters = _parameters(cell)
        stays = kind == _MEMORY and _is_small_table(parameters)
        if kind not in (_MEMORY, *modules) or stays:
            lines += cell
            continue
        signals = dict(filter(None, map(_connection, cell)))
        sides = _sides(parameters) if kind == _MEMORY else _ports(modules[kind])
        for port, signal in signals.items():
            width, comes = sides[port]
            if port in _CLOCKS or not width:
                continue
            wire = f"\\{port[1:]}:{name}"
            direction = f"{'input' if comes else 'output'} {_FIRST_PORT + len(ports)}"
            ports.append(f"  wire width {width} {direction} {wire}")
            if comes:
                lines.append(f"  connect {signal} {wire}")
            elif kind == _MEMORY and (enables := _enables(port, signals, parameters)):
                lines += _where_enabled(f"$enabled${port[1:]}:{name}", enables, signal, wire)
            else:
                lines.append(f"  connect {wire} {signal}")
    return "\n".join([f"module \\{top}", *ports, *lines, "end"]) + "\n"


def only_valid(rtlil: str, top: str) -> str:
    """A design in which the payload of each output stream of module `top` is 0 while it is not
    valid: it has no meaning then."""
    begin = rtlil.index(f"module \\{top}\n")
    end = rtlil.index("\nend\n", begin) + 1
    module, lines = rtlil[begin:end], []
    outputs = {name: bits for name, (bits, output) in _ports(module).items() if output}
    for name, bits in outputs.items():
        stream, _, signal = name.rpartition("_")
        valid = f"{stream}_tvalid"
        if signal not in ("tdata", "tlast") or valid not in outputs:
            continue
        inside = f"{name}$inside"
        module = re.sub(rf"( output \d+)? {re.escape(name)}(?=[\s}}])", f" \\{inside}", module)
        lines.append(f"  wire width {bits} output {_FIRST_PORT + len(lines)} {name}")
        lines += _where_enabled(f"$valid${name[1:]}", [f"{valid} [0:0]"] * bits, inside, name)
    return "".join([rtlil[:begin], module, *(f"{line}\n" for line in lines), rtlil[end:]])


def memories(rtlil: str) -> dict[str, dict[str, int]]:
    """The memories of a design in RTLIL by name, and the parameters of each that are numbers."""
    found = filter(_is_memory, _cells(rtlil))
    return {_kind(cell)[1]: _parameters(cell) for cell in found}


def memory_bits(rtlil: str) -> int:
    """Bits of all memories of a design in RTLIL."""
    return sum(one["WIDTH"] * one["SIZE"] for one in memories(rtlil).values())


def is_written(rtlil: str) -> bool:
    """Whether a design in RTLIL has a memory that is written."""
    return any(one["WR_PORTS"] for one in memories(rtlil).values())


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
    return _kind(cell)[0] == _MEMORY


def _kind(cell: Iterable[str]) -> tuple[str, str]:
    """Type and name of a cell; empty for other lines."""
    found = [line.split()[1:] for line in cell if line.startswith(_CELL)]
    return (found[0][0], found[0][1]) if found else ("", "")


def _is_small_table(parameters: dict[str, int]) -> bool:
    return not parameters["WR_PORTS"] and parameters["WIDTH"] * parameters["SIZE"] <= TABLE_BITS


def _connection(line: str) -> tuple[str, str] | None:
    found = _CONNECTION.match(line)
    return (found[1], found[2]) if found else None


def _parameters(cell: Iterable[str]) -> dict[str, int]:
    """The parameters of a memory that are numbers."""
    found = filter(None, map(_PARAMETER.fullmatch, cell))
    return {one[1]: int(one[2], 2) if one[2] else int(one[3]) for one in found}


def _ports(module: str) -> dict[str, tuple[int, bool]]:
    """Bits of each port of a module, and whether it is an output."""
    found = filter(None, map(_PORT.fullmatch, module.splitlines()))
    return {one[3]: (int(one[1] or 1), one[2] == "output") for one in found}


def _sides(parameters: dict[str, int]) -> dict[str, tuple[int, bool]]:
    """Bits of each port of a memory, and whether it is an output."""
    address, width = parameters["ABITS"], parameters["WIDTH"]
    reads, writes = parameters["RD_PORTS"], parameters["WR_PORTS"]
    found = dict.fromkeys(("CLK", "EN", "ARST", "SRST"), reads) | {
        "ADDR": reads * address,
        "DATA": reads * width,
    }
    written = {"CLK": writes, "EN": writes * width, "ADDR": writes * address}
    written["DATA"] = writes * width
    return {f"\\RD_{what}": (bits, what == "DATA") for what, bits in found.items()} | {
        f"\\WR_{what}": (bits, False) for what, bits in written.items()
    }


def _enables(port: str, signals: dict[str, str], parameters: dict[str, int]) -> list[str]:
    """For each bit of a port the bits any of which enables it; of an enable, nothing."""
    side, _, what = port[1:].partition("_")
    if what not in ("ADDR", "DATA"):
        return []
    enable, width = signals[f"\\{side}_EN"], parameters["WIDTH"]
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
