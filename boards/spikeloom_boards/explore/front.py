"""The Pareto front of a sweep, and its files: CSV, JSON and a page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any

from matplotlib.figure import Figure

Record = Mapping[str, Any]

SMALLER_IS_BETTER = ("us", "lut", "energy_uj")
LARGER_IS_BETTER = ("accuracy", "per_second")
COLUMNS = (
    *("name", "device", "cycles", "lut", "ff", "bram", "large_rams", "dsp", "fits", "levels"),
    *("fmax_mhz", "fmax", "fmax_error", "us", "per_second", "energy_uj", "technology"),
    *("accuracy", "front"),
)
SCHEMA = 1


def with_front(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The records with `front`: whether no other one is as good in all of latency, rate, LUTs,
    energy and accuracy, and better in one. Those that do not fit, or have no Fmax, are not on
    it."""
    records = [dict(record) for record in records]
    costs = [_costs(record) for record in records]
    for record, mine in zip(records, costs, strict=True):
        record["front"] = mine is not None and not any(
            other is not None and _dominates(other, mine) for other in costs
        )
    return records


def _costs(record: Record) -> tuple[float, ...] | None:
    """What is to be small; None if the design cannot be used."""
    if not record["fits"] or record["us"] is None:
        return None
    small = [record[key] or 0.0 for key in SMALLER_IS_BETTER]
    return (*small, *(-(record.get(key) or 0.0) for key in LARGER_IS_BETTER))


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def to_csv(records: Sequence[Record]) -> str:
    """A line for each record; the keys of the configuration that differ have a column each."""
    keys = differing(records)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow((*COLUMNS, *keys))
    for record in records:
        row = [record.get(column) for column in COLUMNS]
        table.writerow(row + [record["config"].get(key) for key in keys])
    return text.getvalue()


def differing(records: Sequence[Record]) -> list[str]:
    """Keys of the configuration with different values, in order."""
    keys = dict.fromkeys(key for record in records for key in record["config"])
    return [key for key in keys if len({str(one["config"].get(key)) for one in records}) > 1]


def to_json(core: str, records: Sequence[Record], refused: Sequence[Any]) -> str:
    """The records, and the combinations that the core refused."""
    document = {
        "schema": SCHEMA,
        "core": core,
        "points": list(records),
        "refused": [vars(one) for one in refused],
    }
    return json.dumps(document, indent=2) + "\n"


def picture(records: Sequence[Record]) -> str:
    """Latency against LUTs, as an SVG element. The front is filled, energy is the size of a mark,
    the device its shape. A line joins the designs that none beats in latency and LUTs alone."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    ax = figure.subplots()
    ax.set(xscale="log", yscale="log", xlabel="LUT4", ylabel="us per run")
    shown = [record for record in records if record["us"] is not None]
    most = max((record["energy_uj"] or 0 for record in shown), default=0) or 1
    shapes = dict(
        zip(dict.fromkeys(record["device"] for record in shown), cycle("os^Dv"), strict=False)
    )
    for record in shown:
        size = 30 + 200 * (record["energy_uj"] or 0) / most
        fill = "tab:blue" if record["front"] else "none"
        edge = "tab:blue" if record["fits"] else "tab:red"
        shape = shapes[record["device"]]
        ax.scatter(
            record["lut"], record["us"], s=size, facecolor=fill, edgecolor=edge, marker=shape
        )
    joined = smallest_and_fastest(record for record in shown if record["front"])
    if joined:
        ax.plot(*zip(*joined, strict=True), color="tab:blue", linewidth=0.8, zorder=0)
    for device, shape in shapes.items():
        ax.scatter([], [], facecolor="none", edgecolor="tab:blue", marker=shape, label=device)
    if shapes:
        ax.legend()
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        labelled = "25" if high > 10 * low else "23456789"
        axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axis.set_minor_formatter(
            lambda value, _, labelled=labelled: (
                f"{value:,.10g}" if f"{value:e}"[0] in labelled else ""
            )
        )
    text = io.StringIO()
    figure.savefig(
        text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
    )
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def smallest_and_fastest(records: Iterable[Record]) -> list[tuple[float, float]]:
    """(LUTs, us) of the designs that none beats in both, by LUTs."""
    found: list[tuple[float, float]] = []
    for lut, us in sorted({(record["lut"], record["us"]) for record in records}):
        if not found or us < found[-1][1]:
            found.append((lut, us))
    return found
