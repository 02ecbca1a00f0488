"""Comparison of several builds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeloom.errors import InputError

from .rates import number

COLUMNS = (
    "core",
    "board",
    "device",
    "LUT4",
    "logic cells",
    "block RAMs",
    "Fmax",
    "clock",
    "core cycles",
    "core us",
    "runs/s, core",
    "runs/s, with line",
)


def read_report(folder: Path) -> dict[str, Any]:
    """``report.json`` of a build folder. Raises `InputError` if it is missing or not valid."""
    path = Path(folder) / "report.json"
    if not path.is_file():
        raise InputError(f"{folder} holds no build; `spikeloom build` makes one")
    try:
        record = json.loads(path.read_text())
        row(record)
        missing = {"path", "warnings", "critical_path", "top", "baud"} - record.keys()
        if missing:
            raise KeyError(*missing)
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is not a report of this version; build again") from None
    return record


def row(
    report: Mapping[str, Any],
) -> tuple[str, ...]:
    """One build as texts, one for each of `COLUMNS`."""
    cells = f"{report['cells']:,} ({100 * report['cells'] / report['cells_available']:.0f} %)"
    return (
        report["core"],
        report["board"],
        report["device"],
        f"{report['lut4']:,}",
        cells,
        f"{report['block_rams']} of {report['block_rams_available']}",
        f"{report['fmax_mhz']:.1f} MHz",
        f"{report['target_mhz']:g} MHz",
        f"{report['cycles']:,}",
        f"{report['us']:.1f}",
        *per_second(report),
    )


def per_second(report: Mapping[str, Any]) -> tuple[str, str]:
    """Attentions per second of the core, and with the serial line, if any, as texts."""
    rates = {rate["what"]: number(rate["per_second"]) for rate in report["rates"]}
    return rates["core"], rates.get("with the line", "no line")


def markdown(reports: Sequence[Mapping[str, Any]]) -> str:
    """The comparison as a Markdown table."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *map(row, reports)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
