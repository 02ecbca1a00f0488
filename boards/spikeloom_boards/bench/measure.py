"""Measure one design: simulated cycles, synthesised cells, Fmax after place and route."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.backend import Golden, compare
from spikeloom.errors import JobError
from spikeloom.export.verilog import component_to_verilog
from spikeloom.tools import run_tool
from spikeloom_sim.backends import RTL

from ..netlist_size import netlist_size
from ..report import read_nextpnr_report
from .bench_top import BenchTop

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.export.verilog import VerilogModule
    from spikeloom.families import Part

    from ..explore.point import Point
    from .designs import Design

TARGET_MHZ = 200  # higher than any design reaches, so that place and route optimises fully


@dataclass(frozen=True)
class Measurement:
    """One row of the bench.

    cycles, cycles_loading : with operands preloaded, and with streams that begin at `start`.
    cycles_trained : with operands of the densities of `Core.IN_NETWORKS`; None without any.
    lut, ff, bram, dsp : LUT4, flip-flops, block RAMs and DSP blocks of the core only.
    fmax_mhz : median of `fmax_runs`; `path` is its critical path.
    us, us_loading, us_trained : microseconds per attention at Fmax.
    """

    name: str
    cycles: int
    cycles_loading: int
    cycles_trained: int | None
    lut: int
    ff: int
    bram: int
    dsp: int
    fmax_mhz: float
    us: float
    us_loading: float
    us_trained: float | None
    attentions_per_s: float
    lut_us: float
    path: str
    fmax_runs: tuple

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(
    design: Design, seeds: Iterable[int], progress: Callable[[str], None] = lambda step: None
) -> Measurement:
    """Simulate, synthesise, and place and route once for each of `seeds`.

    Raises `JobError` if the simulation differs from the golden model or from the cycle formula,
    or if a tool fails.
    """
    config = design.config
    progress(f"{design.name}: simulate")
    cycles, cycles_loading, cycles_trained = simulated_cycles(config)
    progress(f"{design.name}: synthesise")
    size = netlist_size(config, design.part)
    placed = place(design, seeds, progress)

    runs = tuple(report["fmax_mhz"] for report in placed)
    fmax = statistics.median_low(runs)
    us = cycles / fmax
    return Measurement(
        name=design.name,
        cycles=cycles,
        cycles_loading=cycles_loading,
        cycles_trained=cycles_trained,
        lut=size.lut4,
        ff=size.registers,
        bram=size.block_rams,
        dsp=size.dsps,
        fmax_mhz=fmax,
        us=round(us, 4),
        us_loading=round(cycles_loading / fmax, 4),
        us_trained=None if cycles_trained is None else round(cycles_trained / fmax, 4),
        attentions_per_s=round(1e6 / us),
        lut_us=round(size.lut4 * us, 1),
        path=placed[runs.index(fmax)]["critical_path"],
        fmax_runs=runs,
    )


def simulated_cycles(config: Core) -> tuple[int, int, int | None]:
    """Cycles of a run on Verilator with preloaded operands, with operands sent from `start` on, and
    with preloaded operands as in trained networks (None if their densities are unknown).

    Raises `JobError` if those with preloaded operands differ from the core's formula.
    """
    rng = np.random.default_rng(1)
    batch = [config.random_operands(rng)]
    if config.IN_NETWORKS and config.CYCLES_FOLLOW_DATA:
        batch.append(config.trained_operands(rng))
    runs = RTL().run(config, batch)
    (loading,) = RTL(preload=False).run(config, batch[:1])
    golden = Golden().run(config, batch)
    wrong = compare([*runs, loading], [*golden, golden[0]])
    for run, operands in zip(runs, batch, strict=True):
        expected = config.cycles(**operands)
        if wrong or run.cycles != expected:
            raise JobError(
                f"{config.NAME}: simulated {run.cycles} cycles, formula {expected}; "
                f"{wrong} outputs differ from the golden model"
            )
    trained = runs[-1].cycles if config.IN_NETWORKS else None
    return runs[0].cycles, loading.cycles, trained


def _constraints(module: VerilogModule, part: Part, folder: str) -> str:
    """The name of a file in `folder` that puts the ports on any pins; empty if place and route
    chooses them."""
    family = part.family
    if not family.SOME_PINS:
        return ""
    pins = family.SOME_PINS[part.device.id]
    name = f"bench.{family.CONSTRAINTS}"
    with (Path(folder) / name).open("w") as file:
        for (port, *_), pin in zip(module.ports, pins, strict=False):
            file.writelines(f"{line}\n" for line in family.constrain_pin(port, pin, {}))
    return name


def place(
    design: Design | Point, seeds: Iterable[int], progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """nextpnr's report for each seed, for the core between registers."""
    part, family = design.part, design.part.family
    module = component_to_verilog(BenchTop(design.config.create()), "bench", part)
    reports = []
    with tempfile.TemporaryDirectory(prefix="spikeloom-bench-") as folder:
        command = family.place(part, "bench.json", constraints=_constraints(module, part, folder))
        (Path(folder) / "bench.v").write_text(module.text)
        script = f"read_verilog bench.v; {family.synthesise('bench', 'bench.json')}"
        run_tool("yosys", "-ql", "synthesis.log", "-p", script, cwd=folder)
        family.optimise(Path(folder) / "bench.json")
        for seed in seeds:
            progress(f"{design.name}: place and route, seed {seed}")
            run_tool(
                *(*command, "--report", "report.json", "--seed", seed),
                *("--freq", TARGET_MHZ, "--timing-allow-fail"),
                *("--log", "nextpnr.log", "--quiet"),
                cwd=folder,
            )
            reports.append(read_nextpnr_report(Path(folder) / "report.json", family))
    return reports
