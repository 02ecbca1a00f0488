"""One configuration on one device, and what is measured or estimated of it."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from spikeloom import __version__
from spikeloom.contract import Core
from spikeloom.families import Part, find_part
from spikeloom.tools import versions

from ..bench.measure import place
from ..energy import design_name, estimate
from ..fit import resources
from .fmax_model import fmax_estimate
from .synthesis import synthesised


@dataclass(frozen=True)
class Point:
    """A core on a device, in its first package and speed grade.

    `place_seeds`: place and route with each of these seeds; without any, Fmax is estimated.
    `technology` and `densities` are for the energy, see `spikeloom_boards.energy`.
    """

    config: Core
    device: str
    technology: str
    densities: Mapping[str, float] = field(default_factory=dict)
    place_seeds: tuple[int, ...] = ()

    @property
    def part(self) -> Part:
        return find_part(self.device)

    @property
    def name(self) -> str:
        return f"{design_name(self.config)} on {self.device}"

    @property
    def key(self) -> str:
        """SHA-256 of everything that decides the result."""
        family = self.part.family
        facts = {
            "core": self.config.NAME,
            "config": self.config.as_dict(),
            "device": self.device,
            "technology": self.technology,
            "densities": dict(self.densities),
            "seeds": self.place_seeds,
            "spikeloom": __version__,
            "amaranth": metadata.version("amaranth"),
            "tools": versions("yosys", *([family.PLACER] * self.placed)),
        }
        text = json.dumps(facts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def placed(self) -> bool:
        return bool(self.place_seeds)


def measure_point(point: Point) -> dict[str, Any]:
    """Synthesise `point`, place it if it asks for that, and return its record.

    fmax : "placed", the median over the seeds, with the core between registers; "estimate", from
    the levels of logic, with `fmax_error`, the largest error of the calibration; or None where the
    device is not calibrated. us is None then, and so is per_second, the runs that end in a second.
    """
    config, part = point.config, point.part
    size, levels = synthesised(config, part)
    fits = all(used <= there for _, used, there in resources(size, part.device))
    mhz, error = fmax_estimate(point.device, levels, size.lut4)
    source = None if mhz is None else "estimate"
    if point.placed and fits:
        runs = [one["fmax_mhz"] for one in place(point, point.place_seeds, lambda step: None)]
        mhz, error, source = statistics.median_low(runs), None, "placed"
    cycles = config.cycles()
    energy = estimate(config, point.technology, point.densities)
    return {
        "name": point.name,
        "key": point.key,
        "core": config.NAME,
        "config": config.as_dict(),
        "device": point.device,
        "cycles": cycles,
        "lut": size.lut4,
        "ff": size.registers,
        "bram": size.block_rams,
        "large_rams": size.large_rams,
        "dsp": size.dsps,
        "fits": fits,
        "levels": round(levels, 2),
        "fmax_mhz": None if mhz is None else round(mhz, 1),
        "fmax": source,
        "fmax_error": error,
        "us": None if mhz is None else round(cycles / mhz, 4),
        "per_second": None if mhz is None else round(1e6 * config.at_once * mhz / cycles, 1),
        "energy_uj": None if energy is None else energy.microjoule,
        "technology": point.technology,
    }
