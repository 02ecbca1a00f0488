"""Backends `rtl` and `netlist`: the core in a Verilog simulator, driven by cocotb."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.backend import Operands, Progress, Run, silent
from spikeloom.contract import Core
from spikeloom.errors import JobError, unknown
from spikeloom.export.verilog import VerilogModule, to_verilog
from spikeloom.families import find_netlist, netlists
from spikeloom.footprint import check_streams
from spikeloom.outputs import output_file

from ..netlist import synthesise
from ..simulators import SIMULATORS
from ..simulators.cocotb_run import run_cocotb
from .wave import write_gtkw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikeloom.port import Port


@dataclass
class RTL:
    """The generated Verilog in a simulator.

    simulator : "verilator" or "icarus".
    wave : waveform file to record (.vcd or .fst); a GTKWave save file (.gtkw) is written beside it.
    preload : send operands before start, as far as the core can store them; else at start.
    build_seconds : duration of the last build.
    """

    simulator: str = "verilator"
    wave: Path | None = None
    preload: bool = True
    build_seconds: float = 0.0
    name = "rtl"
    family = None

    def __post_init__(self) -> None:
        if self.simulator not in SIMULATORS:
            raise unknown("simulator", self.simulator, SIMULATORS)

    def run(self, core: Core, batch: Sequence[Operands], progress: Progress = silent) -> list[Run]:
        check_streams(core, len(batch))
        folder = Path(tempfile.mkdtemp(prefix="spikeloom-"))
        begun = time.monotonic()
        try:
            family = find_netlist(self.family).target if self.family else None
            module = to_verilog(core, family=family)
            with output_file(self.wave) if self.wave else nullcontext() as wave:
                arguments = build_simulation(
                    module, self.simulator, folder, netlist=self.family, wave=wave
                )
                self.build_seconds = time.monotonic() - begun
                results = self._replay(core, batch, module, folder, arguments, wave)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if self.wave:
            write_gtkw(self.wave, core, module, results[-1]["picoseconds"])
        seconds = (time.monotonic() - begun - self.build_seconds) / len(batch)
        runs = []
        for result in results:
            outputs = {
                name: port.unpack([(int(data, 16), last) for data, last in result["beats"][name]])
                for name, port in core.outputs.items()
            }
            runs.append(Run(outputs, result["cycles"], result["flags"], seconds))
        progress(len(batch), len(batch))
        return runs

    def _replay(
        self,
        core: Core,
        batch: Sequence[Operands],
        module: VerilogModule,
        folder: Path,
        arguments: list,
        wave: Path | None,
    ) -> list[dict[str, Any]]:
        """Run the testbench; returns its results for each run."""
        job = {
            "inputs": list(core.inputs),
            "outputs": {name: port.beats for name, port in core.outputs.items()},
            "loads": {name: written_beats(*load) for name, load in core.loads.items()},
            "flags": list(core.flags),
            "timeout": core.time_limit(),
            "preload": core.preload_cycles() if self.preload else 0,
            "runs": [
                {
                    "seed": getattr(core.seeded(n), "seed", 0),
                    "beats": {
                        name: written_beats(port, operands[name])
                        for name, port in core.inputs.items()
                    },
                }
                for n, operands in enumerate(batch)
            ],
        }
        (folder / "job.json").write_text(json.dumps(job))
        _, failures = run_cocotb(
            self.simulator,
            module.name,
            folder,
            "spikeloom_sim.testbench.replay",
            environment={"SPIKELOOM_JOB": str(folder)},
            waves=wave,
            arguments=arguments,
        )
        if failures:
            log = (folder / "simulation.log").read_text(errors="replace")[-2000:]
            raise JobError(f"{self.simulator}: the core hung or violated its protocol\n{log}")
        results = json.loads((folder / "results.json").read_text())
        return results


def written_beats(port: Port, tensor: NDArray) -> list[tuple[str, int]]:
    """The beats of a tensor as a job holds them."""
    return [(f"{data:x}", last) for data, last in port.pack(tensor)]


@dataclass
class Netlist(RTL):
    """A netlist in a simulator: synthesised, or also placed and routed, for an FPGA family.

    family : a name in `spikeloom.families.netlists` (default: the first).
    """

    family: str = field(default_factory=lambda: next(iter(netlists())))
    name = "netlist"


def build_simulation(
    module: VerilogModule,
    simulator: str,
    folder: Path,
    *,
    netlist: str | None = None,
    wave: Path | None = None,
    coverage: bool = False,
) -> list:
    """Compile a `VerilogModule`, or its netlist for a family, in `folder`.

    `coverage`, of Verilator only: a run writes ``coverage.dat`` into the folder. Returns the
    arguments for running the simulation.
    """
    if netlist is not None:
        module = synthesise(module, netlist, folder)
    path = folder / f"{module.name}.v"
    path.write_text(module.text)
    ports = [name for name, _, _ in module.ports]
    measured = {"coverage": True} if coverage else {}
    return SIMULATORS[simulator].build([path], module.name, ports, folder, waves=wave, **measured)
