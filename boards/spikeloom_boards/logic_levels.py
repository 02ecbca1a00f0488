"""Levels of logic between the registers of a synthesised netlist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from spikeloom.errors import JobError

if TYPE_CHECKING:
    from spikeloom.families import Family

WRITTEN = frozenset(("WCK", "WRE", "WD", "DI", "WAD", "CLK"))  # inputs of LUTs that are memory


def logic_levels(netlist: Mapping[str, Any], family: Family) -> float:
    """The longest path between registers, in units of a LUT with its wire, of a flat netlist in
    Yosys' JSON (`Family.LEVELS`). Raises `JobError` if there is a loop."""
    (top,) = (one for one in netlist["modules"].values() if "top" in one.get("attributes", {}))
    cells = top["cells"]
    driver = {}  # the cell that drives a net
    for name, cell in cells.items():
        for port, direction in cell["port_directions"].items():
            if direction == "output":
                driver |= dict.fromkeys(cell["connections"][port], name)
    sources = {name: _sources(cell, driver, family) for name, cell in cells.items()}
    through = {name: seen for name, seen in sources.items() if cells[name]["type"] in family.LEVELS}
    try:
        order = list(TopologicalSorter(through).static_order())
    except CycleError:
        raise JobError("the netlist has a loop of logic") from None
    read = {bit for cell in cells.values() for bit in _inputs(cell)}
    levels: dict[str, float] = {}
    for name in order:
        cell = cells[name]
        if name in through:
            before = max((levels[source] for source in through[name]), default=0.0)
            levels[name] = before + family.LEVELS[cell["type"]]
        else:
            levels[name] = _start(cell, family, read)
    return max(
        (levels.get(source, 0.0) for seen in sources.values() for source in seen), default=0.0
    )


def _sources(cell: Mapping[str, Any], driver: Mapping[Any, str], family: Family) -> set[str]:
    """The cells whose outputs a path through (or to) this cell comes from."""
    memory = cell["type"] in family.LUT_MEMORIES
    return {
        driver[bit]
        for port, direction in cell["port_directions"].items()
        if direction != "output" and not (memory and port in WRITTEN)
        for bit in cell["connections"][port]
        if bit in driver
    }


def _inputs(cell: Mapping[str, Any]) -> Iterator[Any]:
    """The nets at the inputs of a cell."""
    for port, direction in cell["port_directions"].items():
        if direction != "output":
            yield from cell["connections"][port]


def _start(cell: Mapping[str, Any], family: Family, read: Set[Any]) -> float:
    """Levels at the output of a register or memory; `read` has the nets that any cell reads.

    The ports A and B of a block RAM have output registers of their own; one that only writes has
    outputs as well, which nothing reads.
    """
    parameters, connections = cell.get("parameters", {}), cell["connections"]
    modes = {key[-1]: mode for key, mode in parameters.items() if key.startswith("REGMODE_")}
    for port, nets in connections.items():
        is_read = cell["port_directions"][port] == "output" and not read.isdisjoint(nets)
        if is_read and modes.get(port[2:3]) != "OUTREG":
            return family.MEMORY_LEVELS.get(cell["type"], 0.0)
    return 0.0
