"""What a build cost: cells, memories, clock, time per attention."""

import json
import re
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Synthesis:
    """Cells that Yosys counted: what the design needs at the least."""

    lut4: int
    registers: int
    block_rams: int


@dataclass(frozen=True)
class Report:
    """One finished build; ``fmax_mhz`` is nextpnr's for the placed and routed design."""

    core: str
    board: str
    device: str
    config: dict
    lut4: int
    cells: int
    cells_available: int
    registers: int
    block_rams: int
    block_rams_available: int
    fmax_mhz: float
    target_mhz: float
    critical_path: str
    cycles: int
    us: float
    seed: int
    seconds: float
    bitstream: str
    version: str

    @property
    def timing_met(self):
        return self.fmax_mhz >= self.target_mhz

    def as_dict(self):
        return asdict(self) | {"timing_met": self.timing_met}


def read_synthesis(log, family):
    """Cell counts from the last statistics in a Yosys log.

    LUT4 of ECP5 include those inside carry cells (2 each) and distributed RAM (4 each).
    """
    text = log.read_text(errors="replace")
    counts = {}
    for number, cell in re.findall(
        r"^\s*(\d+)\s+(\S+)\s*$", text[text.rindex("Printing statistics") :], re.MULTILINE
    ):
        counts[cell] = int(number)

    def count(*cells):
        return sum(number for cell, number in counts.items() if cell.startswith(cells))

    if family == "ice40":
        return Synthesis(count("SB_LUT4"), count("SB_DFF"), count("SB_RAM40"))
    luts = count("LUT4") + 2 * count("CCU2C") + 4 * count("TRELLIS_DPR16X4")
    return Synthesis(luts, count("TRELLIS_FF"), count("DP16KD", "PDPW16KD"))


def read_nextpnr_report(path, device):
    """Utilisation, Fmax and critical path from nextpnr's JSON report."""
    told = json.loads(path.read_text())
    used = told["utilization"]
    fmax = min(clock["achieved"] for clock in told["fmax"].values())
    return {
        "cells": used[device.cell_type]["used"],
        "cells_available": used[device.cell_type]["available"],
        "block_rams": used[device.ram_type]["used"],
        "block_rams_available": used[device.ram_type]["available"],
        "fmax_mhz": round(fmax, 2),
        "critical_path": _critical_path(told),
    }


def _critical_path(told):
    """Where the slowest register-to-register path starts and ends, by cell names."""
    paths = [
        path
        for path in told.get("critical_paths", [])
        if path["from"].split()[0] == path["to"].split()[0] and "async" not in path["from"]
    ]
    if not paths:
        return "none"
    slowest = max(paths, key=lambda path: sum(step["delay"] for step in path["path"]))
    first, last = slowest["path"][0]["from"]["cell"], slowest["path"][-1]["to"]["cell"]
    levels = sum(step["type"] == "logic" for step in slowest["path"])
    return f"{_source_name(first)} -> {_source_name(last)}, {levels} logic levels"


def _source_name(cell):
    """A placed cell's name without what synthesis appended to the signal's."""
    return re.split(r"_(?:SB_|TRELLIS_|LUT4|CCU2C|DP16KD|L6MUX|PFUMX|DFF)", cell)[0].lstrip("$\\")
