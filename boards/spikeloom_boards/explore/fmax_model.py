"""Fmax from the levels of logic and the size of a netlist: a model calibrated by rows of the bench.

The period is proportional to the levels of the longest path and `OVERHEAD` levels for clock to
output, setup and the first wire, and to a power of the number of LUTs, as wires are longer in a
larger design. The factor of a device is the geometric mean over its rows. The error is that of a
row of any device that is left out of the mean, the largest of them. Wires are known only after
placement: this is no more than an estimate.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from math import exp, log
from typing import Any

OVERHEAD = 4.0  # levels
GROWTH = 0.2  # exponent of the size


@cache
def _calibration() -> dict[str, Any]:
    return json.loads((files("spikeloom_boards.explore") / "calibration.json").read_text())


def rows() -> list[dict[str, Any]]:
    """Measured rows of the bench: name, LUT4, levels of logic and median Fmax in MHz."""
    return _calibration()["rows"]


@cache
def factors() -> dict[str, float]:
    """By device: nanoseconds per level of a design of 1,000 LUTs."""
    return {name: exp(sum(x) / len(x)) for name, x in _logs().items()}


@cache
def error() -> float:
    """The largest relative error of Fmax of a row by the mean of the other rows of its device."""
    errors = []
    for logs in _logs().values():
        mean = sum(logs) / len(logs)
        errors += [exp(abs(one - mean) * len(logs) / (len(logs) - 1)) - 1 for one in logs]
    return max(errors)


def _logs() -> dict[str, list[float]]:
    """By device with several rows, the logarithm of the factor of each."""
    groups: dict[str, list[float]] = {}
    for row in rows():
        *_, device = row["name"].split("/")
        factor = 1000 / row["fmax_mhz"] / _units(row["levels"], row["lut"])
        groups.setdefault(class_of(device), []).append(log(factor))
    return {name: logs for name, logs in groups.items() if len(logs) > 1}


def _units(levels: float, lut: int) -> float:
    """What the period is proportional to."""
    return (levels + OVERHEAD) * (max(lut, 1) / 1000) ** GROWTH


def class_of(device: str) -> str:
    """A name for devices of the same speed, which differ in size only."""
    return _calibration()["same_speed"].get(device, device)


def fmax_estimate(device: str, levels: float, lut: int) -> tuple[float | None, float | None]:
    """Fmax in MHz of a netlist of `lut` LUT4, and its relative error; (None, None) for a device
    without calibration."""
    if class_of(device) not in factors():
        return None, None
    return 1000 / (factors()[class_of(device)] * _units(levels, lut)), error()


def calibration_table() -> list[str]:
    """The rows and what the model gives for each, as a Markdown table."""
    lines = [
        "| row of the bench | LUT4 | levels | Fmax, MHz | model | off |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows():
        device = row["name"].rpartition("/")[2]
        mhz, _ = fmax_estimate(device, row["levels"], row["lut"])
        if mhz is None:
            continue
        lines.append(
            f"| {row['name']} | {row['lut']:,} | {row['levels']:g} | {row['fmax_mhz']:g} | "
            f"{mhz:.1f} | {100 * (mhz / row['fmax_mhz'] - 1):+.0f} % |"
        )
    return lines
