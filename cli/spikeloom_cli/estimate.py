"""`spikeloom estimate`: size, time and energy of one configuration, without placing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from spikeloom.errors import InputError
from spikeloom.families import find_part
from spikeloom_boards.boards import find_board
from spikeloom_boards.presets import preset_config
from spikeloom_boards.rates import number
from spikeloom_boards.technologies import DEFAULT, find_technology

from . import completion
from .options import (
    Assignments,
    BoardName,
    ConfigFile,
    CoreName,
    Densities,
    Json,
    Place,
    Seeds,
    TechnologyName,
    densities_of,
    place_seeds,
    print_json,
    settings_of,
    steps,
)
from .tables import print_pairs

DEFAULT_BOARD = "icebreaker"


def estimate(
    core: CoreName,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help=f"FPGA (default: --board's, or {DEFAULT_BOARD}'s); its preset sets the keys.",
            autocompletion=completion.devices,
        ),
    ] = None,
    board: BoardName = None,
    config: ConfigFile = None,
    set_: Assignments = None,
    technology: TechnologyName = DEFAULT,
    density: Densities = None,
    place: Place = False,
    seeds: Seeds = 1,
    activity: Annotated[
        bool,
        typer.Option(
            "--activity", help="Simulate the netlist and count its toggles: a relative measure."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Estimate cycles, cells, block RAM, Fmax and energy of a configuration by synthesis."""
    if device and board:
        raise InputError("--device and --board: give one of them")
    from spikeloom_boards.explore.point import Point, measure_point

    part = find_part(device) if device else find_board(board or DEFAULT_BOARD).part
    find_technology(technology)
    chosen = preset_config(core, part, settings_of(config, set_))
    shares = densities_of(density)
    chosen.densities_or_typical(shares)
    point = Point(chosen, part.id, technology, shares, place_seeds(place, seeds))
    with steps(1 + activity, quiet=json) as begin:
        begin("synthesise, place and route" if place else "synthesise")
        record = measure_point(point)
        if activity:
            begin("simulate the netlist")
            record["activity"] = _activity(point)
    if json:
        print_json(record)
    else:
        print_estimate(record)


def _activity(point: Any) -> dict[str, Any]:
    import numpy as np

    from spikeloom_sim.activity import switching

    core = point.config
    shares = core.densities_or_typical(point.densities)
    operands = core.operands_with(shares, np.random.default_rng(1))
    return switching(core, operands, point.part.family.NAME).as_dict()


def print_estimate(record: Mapping[str, Any]) -> None:
    """Print the record of a point as text."""
    rows = [
        ("design", record["name"]),
        ("cycles", f"{record['cycles']:,} (formula)"),
        ("LUT4", f"{record['lut']:,} (synthesised, core only)"),
        ("flip-flops", f"{record['ff']:,}"),
        ("block RAMs", f"{record['bram']:,}"),
    ]
    for what, key in (("large RAMs", "large_rams"), ("DSP blocks", "dsp")):
        if record[key]:
            rows.append((what, f"{record[key]:,}"))
    rows += [("fits", "yes" if record["fits"] else "no"), ("Fmax", fmax_text(record))]
    if record["us"] is not None:
        rows.append(("time of a run", f"{record['us']:,.4g} us"))
        rows.append(("runs per second", number(record["per_second"])))
    if record["energy_uj"] is not None:
        rows.append(("energy", f"{record['energy_uj']:.4g} uJ (estimate, {record['technology']})"))
    if "activity" in record:
        one = record["activity"]
        rows.append(
            (
                "switching",
                f"{one['toggles']:,} toggles of nets in {one['cycles']:,} cycles; only to compare "
                f"designs for {one['family']}",
            )
        )
    print_pairs(rows)


def fmax_text(record: Mapping[str, Any]) -> str:
    """Fmax of a record, and what it is."""
    if record["fmax"] is None:
        return "not known: no measured rows for this device; use --place"
    if record["fmax"] == "placed":
        return f"{record['fmax_mhz']:.1f} MHz (placed and routed, core between registers)"
    error = 100 * record["fmax_error"]
    return (
        f"{record['fmax_mhz']:.1f} MHz (estimate from {record['levels']:g} levels of logic, "
        f"+-{error:.0f} %)"
    )
