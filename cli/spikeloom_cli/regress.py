"""`spikeloom regress`: the cocotb suites."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from spikeloom.catalog import CORES, find_core
from spikeloom.errors import JobError, unknown
from spikeloom_sim.regression import choose_configs, run_suite, write_junit
from spikeloom_sim.simulators import SIMULATORS

from .options import Json, SimulatorName, console, print_json, steps


def regress(
    core: Annotated[str | None, typer.Argument(metavar="[CORE]")] = None,
    sim: SimulatorName = "verilator",
    only: Annotated[str, typer.Option(help="Only configurations whose line holds TEXT.")] = "",
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    json: Json = False,
):
    """Run every core (or CORE) against its golden model on a table of configurations."""
    if core is not None:
        find_core(core)
    if sim not in SIMULATORS:
        raise unknown("simulator", sim, SIMULATORS)
    configs = choose_configs([core] if core else CORES, only)
    results, failed = [], []
    out = console()
    with steps(len(configs), quiet=json) as begin:
        for name, config in configs:
            begin(name)
            result = run_suite(config, simulator=sim)
            results.append(result)
            failed += [name] * bool(result.failures)
            if not json:
                verdict = "ok" if not result.failures else "FAIL"
                out.print(f"{verdict:5} {name}: {result.tests} tests, {result.seconds:.1f} s")
                if result.failures:
                    out.print(f"      log: {result.folder / 'simulation.log'}")
    if junit:
        write_junit(results, junit)
    failures = sum(result.failures for result in results)
    if json:
        print_json([result.as_dict() for result in results])
    if failures:
        raise JobError(
            f"{failures} tests failed on {sim}; repeat with: "
            f"spikeloom regress --sim {sim} --only {shlex.quote(failed[0])}"
        )
    if not json:
        tests = sum(result.tests for result in results)
        out.print(f"{tests} tests passed on {sim}, {len(results)} configurations")
