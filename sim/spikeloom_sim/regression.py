"""Run the cocotb regression on configurations and simulators."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from spikeloom.cores import find_core
from spikeloom.errors import unknown
from spikeloom.export.verilog import to_verilog
from spikeloom.families import find_netlist
from spikeloom.outputs import output_file

from .backends.rtl import build_simulation
from .simulators.cocotb_run import run_cocotb

if TYPE_CHECKING:
    from spikeloom.contract import Core
    from spikeloom.export.verilog import VerilogModule

SUITE = "spikeloom_sim.testbench.suite"
RESETS = 12  # runs of a suite that are reset in a random cycle


@dataclass
class SuiteResult:
    """Outcome of the suite on one configuration and simulator."""

    name: str
    simulator: str
    tests: int
    failures: int
    seconds: float
    folder: Path | None  # contains the log, if a test failed

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"folder": str(self.folder) if self.folder else None}


def run_suite(
    config: Core,
    *,
    simulator: str = "verilator",
    netlist: str | None = None,
    keep: str | PathLike[str] | None = None,
    module: VerilogModule | None = None,
    coverage: bool = False,
    resets: int = RESETS,
) -> SuiteResult:
    """Build `config` once and run every test of the suite on it.

    Parameters
    ----------
    netlist : name of a netlist in `spikeloom.families` to test instead of the RTL.
    keep : build folder to keep; without it, only folders of failed runs are kept.
    module : `VerilogModule` to test instead of the generated one.
    coverage : Verilator writes ``coverage.dat`` into the build folder.
    resets : runs that are reset in a random cycle, at most; fewer if they are long.
    """
    begun = time.monotonic()
    folder = Path(keep or tempfile.mkdtemp(prefix="spikeloom-suite-"))
    failures = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        family = find_netlist(netlist).target if netlist else None
        module = module or to_verilog(config, family=family)
        arguments = build_simulation(module, simulator, folder, netlist=netlist, coverage=coverage)
        tests, failures = run_cocotb(
            simulator,
            module.name,
            folder,
            SUITE,
            environment=suite_environment(config, folder, resets),
            arguments=arguments,
        )
    finally:
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


def suite_environment(config: Core, folder: Path, resets: int) -> dict[str, str]:
    """What the suite reads from the environment; `folder` takes a network's file."""
    settings = {"core": config.reference(folder)} | config.as_dict()
    return {"SPIKELOOM_CONFIG": json.dumps(settings), "SPIKELOOM_RESETS": str(resets)}


def regression_configs(core: str) -> dict[str, Core]:
    """Configurations of the regression of `core`, by name."""
    core_class = find_core(core)
    return {
        f"{core}: {name}": core_class.from_settings(keys) for name, keys in core_class.CASES.items()
    }


def choose_configs(cores: Iterable[str], only: str = "") -> list[tuple[str, Core]]:
    """Regression configurations of `cores`: the one named `only`, or all whose names contain it.

    Returns a list of (name, configuration). Raises `InputError` if none matches.
    """
    configs = {name: config for core in cores for name, config in regression_configs(core).items()}
    if only in configs:
        return [(only, configs[only])]
    chosen = [(name, config) for name, config in configs.items() if only in name]
    if not chosen:
        raise unknown("configuration", only, configs)
    return chosen


def write_junit(results: Sequence[SuiteResult], path: Path) -> None:
    """Write suite results as JUnit XML, one test case per configuration."""
    suites = ElementTree.Element("testsuites")
    failed = sum(result.failures > 0 for result in results)
    counts = {"tests": str(len(results)), "failures": str(failed)}
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "spikeloom"} | counts)
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=result.simulator,
            name=result.name,
            time=f"{result.seconds:.2f}",
        )
        if result.failures:
            text = f"{result.failures} of {result.tests} tests failed; see {result.folder}"
            ElementTree.SubElement(case, "failure", message=text)
    with output_file(path) as staging:
        ElementTree.ElementTree(suites).write(staging, encoding="utf-8", xml_declaration=True)


def describe(config: Core) -> str:
    """The configuration in one line: the keys that differ from their defaults."""
    defaults = {name: key.default for name, key in config.keys().items()}
    changed = [f"{k}={v}" for k, v in config.as_dict().items() if v != defaults[k]]
    return f"{config.NAME} " + " ".join(changed)
