"""Levels of logic between the registers of a synthesised netlist."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from spikeloom.errors import JobError

# What a cell adds to a path, in units of a LUT with its wire. Cells that are not listed are
# registers: paths end at their inputs and begin at their outputs.
THROUGH = {
    **dict.fromkeys(("SB_LUT4", "LUT4", "CC_LUT1", "CC_LUT2", "CC_L2T4", "CC_L2T5"), 1.0),
    **dict.fromkeys(("LUT1", "LUT2", "LUT3", "INV", "CC_LUT3", "CC_LUT4"), 1.0),
    **dict.fromkeys(("PFUMX", "L6MUX21", "CC_MX2", "CC_MX4", "CC_MX8"), 0.25),
    **dict.fromkeys(("MUX2_LUT5", "MUX2_LUT6", "MUX2_LUT7", "MUX2_LUT8"), 0.25),
    **dict.fromkeys(("SB_CARRY", "CCU2C", "ALU", "CC_ADDF"), 0.1),
    **dict.fromkeys(("TRELLIS_DPR16X4", "RAM16SDP4"), 1.0),
}
WRITTEN = frozenset(("WCK", "WRE", "WD", "DI", "WAD", "CLK"))  # inputs of LUTs that are memory
# What a path that begins at a memory has in addition, as its output is slower than a flip-flop's.
MEMORY = {
    **dict.fromkeys(("SB_RAM40_4K", "SB_RAM40_4KNR", "SB_SPRAM256KA"), 1.3),
    **dict.fromkeys(("DP16KD", "PDPW16KD"), 5.0),
    **dict.fromkeys(("SDPB", "SDPX9B", "DPB", "SPX9", "CC_BRAM_20K", "CC_BRAM_40K"), 2.0),
}
LUT_AS_MEMORY = ("TRELLIS_DPR16X4", "RAM16SDP4")


def logic_levels(netlist: Mapping[str, Any]) -> float:
    """The longest path between registers, in units of a LUT with its wire, of a flat netlist in
    Yosys' JSON. Raises `JobError` if there is a loop."""
    (top,) = (one for one in netlist["modules"].values() if "top" in one.get("attributes", {}))
    cells = top["cells"]
    driver = {}  # the cell that drives a net
    for name, cell in cells.items():
        for port, direction in cell["port_directions"].items():
            if direction == "output":
                driver |= dict.fromkeys(cell["connections"][port], name)
    sources = {name: _sources(cell, driver) for name, cell in cells.items()}
    through = {name: seen for name, seen in sources.items() if cells[name]["type"] in THROUGH}
    try:
        order = list(TopologicalSorter(through).static_order())
    except CycleError:
        raise JobError("the netlist has a loop of logic") from None
    levels: dict[str, float] = {}
    for name in order:
        cell = cells[name]
        if name in through:
            before = max((levels[source] for source in through[name]), default=0.0)
            levels[name] = before + THROUGH[cell["type"]]
        else:
            levels[name] = _start(cell)
    return max(
        (levels.get(source, 0.0) for seen in sources.values() for source in seen), default=0.0
    )


def _sources(cell: Mapping[str, Any], driver: Mapping[Any, str]) -> set[str]:
    """The cells whose outputs a path through (or to) this cell comes from."""
    memory = cell["type"] in LUT_AS_MEMORY
    return {
        driver[bit]
        for port, direction in cell["port_directions"].items()
        if direction != "output" and not (memory and port in WRITTEN)
        for bit in cell["connections"][port]
        if bit in driver
    }


def _start(cell: Mapping[str, Any]) -> float:
    """Levels at the output of a register or memory."""
    modes = [x for key, x in cell.get("parameters", {}).items() if key.startswith("REGMODE")]
    if modes and all(mode == "OUTREG" for mode in modes):
        return 0.0
    return MEMORY.get(cell["type"], 0.0)
