"""The report of a build: cells, memories, Fmax, time per attention."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from spikeloom.families import Family, Synthesis

from .critical_path import critical_path, summary


@dataclass(frozen=True)
class Report:
    """One finished build; ``fmax_mhz`` is nextpnr's figure for the placed and routed design.

    ``cycles`` and ``us`` are for the core only; ``rates`` are dicts of `rates.Rate`, which say what
    each figure includes. ``top`` is the design around the core, ``baud`` the baud rate of its link.

    ``network`` is the name of the network's file in the folder, None for a core. ``loaded`` are the
    streams that the host sends once after configuration (`Core.loads`). ``flash_data`` describes
    the file with a stream that the board loads from its flash memory instead.

    ``optimised`` counts the changes to the netlist after synthesis, and what they left.

    ``energy`` is an estimate of a run, see `energy.energy_record`.

    ``path`` are the `critical_path.Hop`s of the critical path, ``warnings`` the warnings of the
    tools, ``tools`` the tool versions.
    """

    core: str
    board: str
    device: str
    config: dict
    lut4: int
    cells: int
    cells_available: int
    registers: int
    optimised: dict
    block_rams: int
    block_rams_available: int
    large_rams: int
    large_rams_available: int
    dsps: int
    dsps_available: int
    fmax_mhz: float
    target_mhz: float
    critical_path: str
    path: list
    cycles: int
    us: float
    network: str | None
    loaded: list
    flash_data: dict | None
    top: str
    baud: int | None
    rates: list
    energy: dict
    seed: int
    bitstream: str
    bitstream_sha256: str
    warnings: list
    tools: dict
    version: str

    @property
    def timing_met(self) -> bool:
        return self.fmax_mhz >= self.target_mhz

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"timing_met": self.timing_met}


def finish_synthesis(netlist: Path, family: Family) -> Synthesis:
    """Optimise a netlist that Yosys wrote as JSON, for `family`, and count its cells."""
    optimised = family.optimise(netlist)
    modules = json.loads(netlist.read_text())["modules"].values()
    (top,) = (module for module in modules if "top" in module.get("attributes", {}))
    counts = Counter(cell["type"] for cell in top["cells"].values())
    return replace(family.size(counts), optimised=optimised)


def read_nextpnr_report(path: Path, family: Family) -> dict[str, Any]:
    """Utilisation, Fmax and critical path from nextpnr's JSON report."""
    nextpnr = json.loads(path.read_text())
    fmax = min(clock["achieved"] for clock in nextpnr["fmax"].values())
    hops = critical_path(nextpnr)
    return family.utilisation(nextpnr["utilization"]) | {
        "fmax_mhz": round(fmax, 2),
        "critical_path": summary(hops),
        "path": [asdict(hop) for hop in hops],
    }


def read_warnings(*logs: Path) -> list[str]:
    """Warnings in the tools' logs, without duplicates."""
    warnings = re.findall(r"^Warning: (.*)$", "\n".join(log.read_text() for log in logs), re.M)
    return list(dict.fromkeys(warnings))


def utilisation(report: Mapping[str, Any]) -> list[tuple[str, int, int, float]]:
    """(what, used, available, per cent) of each resource in `Report.as_dict()`."""
    rows = [
        ("logic cells", report["cells"], report["cells_available"]),
        ("block RAMs", report["block_rams"], report["block_rams_available"]),
    ]
    if report.get("large_rams"):  # reports of earlier versions do not have it
        rows.append(("large RAMs", report["large_rams"], report["large_rams_available"]))
    if report.get("dsps"):
        rows.append(("DSP blocks", report["dsps"], report["dsps_available"]))
    return [(what, used, there, 100 * used / there) for what, used, there in rows]


def notes(report: Mapping[str, Any]) -> list[str]:
    """Remarks on a build: timing, utilisation above 90 %, and the tools' warnings."""
    remarks = []
    margin = report["fmax_mhz"] / report["target_mhz"] - 1
    if not report["timing_met"]:
        remarks.append(f"Timing is missed by {-100 * margin:.1f} %.")
    elif margin < 0.05:
        remarks.append(f"Timing is met with a small margin of {100 * margin:.1f} %.")
    for what, used, there, share in utilisation(report):
        if share > 90 and what not in ("large RAMs", "DSP blocks"):  # these have one place each
            remarks.append(f"{used} of {there} {what} are used: placement may fail after a change.")
    if report.get("loaded"):
        remarks.append(loading(report["loaded"]))
    return remarks + report["warnings"]


def loading(streams: Sequence[str]) -> str:
    """A remark on streams that the bitstream does not contain."""
    names = " and ".join(streams)
    return f"The bitstream has no {names}: the first run after power-up sends them over the link."
