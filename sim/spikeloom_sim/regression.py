"""Running the cocotb regression on configurations and simulators."""

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from spikeloom.export.verilog import to_verilog

from .backends.rtl import build_simulation
from .simulators.cocotb_run import run_cocotb

SUITE = "spikeloom_sim.testbench.suite"


@dataclass
class SuiteResult:
    """Outcome of the suite on one configuration and simulator."""

    name: str
    simulator: str
    tests: int
    failures: int
    seconds: float
    folder: Path | None  # where log and waveform are, if something failed


def run_suite(config, *, simulator="verilator", netlist=None, keep=None, module=None):
    """Build `config` once and run every test of the suite on it.

    Parameters
    ----------
    netlist : FPGA family whose netlist to test in place of the RTL.
    keep : folder to build in and leave behind; otherwise only failures leave theirs.
    module : `VerilogModule` to test in place of the generated one.
    """
    begun = time.monotonic()
    folder = Path(keep or tempfile.mkdtemp(prefix="spikeloom-suite-"))
    folder.mkdir(parents=True, exist_ok=True)
    module = module or to_verilog(config)
    arguments = build_simulation(module, simulator, folder, netlist=netlist)
    settings = json.dumps({"core": config.core} | config.as_dict())
    tests, failures = run_cocotb(
        simulator,
        module.name,
        folder,
        SUITE,
        environment={"SPIKELOOM_CONFIG": settings},
        arguments=arguments,
    )
    if not failures and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return SuiteResult(
        describe(config) + (f" {netlist} netlist" if netlist else ""),
        simulator,
        tests,
        failures,
        time.monotonic() - begun,
        folder if failures or keep else None,
    )


def describe(config):
    """The configuration in one line: its keys that differ from their defaults."""
    defaults = {key.name: key.default for key in config.__dataclass_fields__.values()}
    told = [f"{k}={v}" for k, v in config.as_dict().items() if v != defaults[k]]
    return f"{config.core} " + " ".join(told)
