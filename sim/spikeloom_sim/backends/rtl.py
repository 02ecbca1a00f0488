"""Backends `rtl` and `netlist`: the core in a Verilog simulator, driven by cocotb."""

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikeloom.catalog import CORES
from spikeloom.errors import JobError, unknown
from spikeloom.export.verilog import to_verilog

from ..adapters import adapter
from ..footprint import check_streams
from ..netlist import synthesise
from ..simulators import SIMULATORS
from ..simulators.cocotb_run import run_cocotb
from .golden import head_seed


@dataclass
class RTLRun:
    """`outputs` stacked over heads, `cycles` of each head, `seconds` to build and to simulate."""

    outputs: np.ndarray
    cycles: list
    build_seconds: float
    run_seconds: float


def run_rtl(config, heads, *, simulator="verilator", wave=None, preload=True, netlist=None):
    """Run heads one after the other on the simulated core.

    Parameters
    ----------
    config : configuration of the core; head h runs with seed ``config.seed + h``.
    heads : list of operand tuples.
    simulator : "verilator" or "icarus".
    wave : waveform file to record (.vcd, or .fst).
    preload : whether operands come before start, as far as they go, or with it.
    netlist : FPGA family ("ice40", "ecp5") whose synthesised netlist to run in place of the RTL.

    Returns an `RTLRun`. Raises `JobError` for a tool that is missing or fails, `InputError` where
    the streams take more memory than is available.
    """
    if simulator not in SIMULATORS:
        raise unknown("simulator", simulator, SIMULATORS)
    check_streams(config, len(heads))
    model = adapter(config.core)
    folder = Path(tempfile.mkdtemp(prefix="spikeloom-"))
    try:
        begun = time.monotonic()
        module = to_verilog(config)
        arguments = build_simulation(module, simulator, folder, netlist=netlist, wave=wave)
        built = time.monotonic()

        cycles = CORES[config.core].cycles(config)
        runs = [
            {
                "seed": head_seed(config.seed, n),
                "beats": {
                    name: [[f"{data:x}", int(last)] for data, last in beats]
                    for name, beats in model.to_beats(config, *head).items()
                },
            }
            for n, head in enumerate(heads)
        ]
        loading = max(len(beats) for beats in runs[0]["beats"].values())
        job = {
            "operands": list(model.OPERANDS),
            "outputs": model.output_beats(config),
            "timeout": 2 * cycles + 4 * loading * model.beat_clocks(config) + 1000,
            "preload": model.preload_clocks(config) if preload else 0,
            "runs": runs,
        }
        (folder / "job.json").write_text(json.dumps(job))
        _, failures = run_cocotb(
            simulator,
            module.name,
            folder,
            "spikeloom_sim.testbench.replay",
            environment={"SPIKELOOM_JOB": str(folder)},
            waves=wave,
            arguments=arguments,
        )
        if failures:
            raise JobError(f"{simulator}: the core hung or broke its contract\n{_log(folder)}")
        results = json.loads((folder / "results.json").read_text())
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    outputs = [
        model.from_beats(config, [(int(data, 16), last) for data, last in result["beats"]])
        for result in results
    ]
    return RTLRun(
        np.stack(outputs),
        [result["cycles"] for result in results],
        built - begun,
        time.monotonic() - built,
    )


def build_simulation(module, simulator, folder, *, netlist=None, wave=None):
    """Compile a `VerilogModule`, or its netlist for a family, in `folder`.

    Returns the arguments its simulation needs.
    """
    if netlist is not None:
        module = synthesise(module, netlist, folder)
    path = folder / f"{module.name}.v"
    path.write_text(module.text)
    ports = [name for name, _, _ in module.ports]
    return SIMULATORS[simulator].build([path], module.name, ports, folder, waves=wave)


def _log(folder):
    return (folder / "simulation.log").read_text(errors="replace")[-2000:]
