"""`spikeloom regress`: run the cocotb suites."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from spikeloom.cores import all_cores, find_core
from spikeloom.counted import counted
from spikeloom.errors import JobError, unknown
from spikeloom.outputs import check_file
from spikeloom_sim.regression import choose_configs, run_suite, write_junit
from spikeloom_sim.simulators import SIMULATORS

from . import completion
from .options import Json, OnlyConfigurations, SimulatorName, console, print_json, steps


def regress(
    core: Annotated[
        str | None,
        typer.Argument(
            metavar="CORE",
            help="Core (default: all).",
            show_default=False,
            autocompletion=completion.cores,
        ),
    ] = None,
    sim: SimulatorName = "verilator",
    only: OnlyConfigurations = "",
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    json: Json = False,
) -> None:
    """Compare CORE (or every core) with its golden model on a list of configurations."""
    if core is not None:
        find_core(core)
    if sim not in SIMULATORS:
        raise unknown("simulator", sim, SIMULATORS)
    configs = choose_configs([core] if core else all_cores(), only)
    if junit:
        check_file(junit, "--junit")
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
                out.print(
                    f"{verdict:5} {name}: {counted(result.tests, 'test')}, {result.seconds:.1f} s"
                )
                if result.failures and result.folder is not None:
                    out.print(f"      log: {result.folder / 'simulation.log'}")
    if junit:
        write_junit(results, junit)
    failures = sum(result.failures for result in results)
    if json:
        print_json([result.as_dict() for result in results])
    if failures:
        raise JobError(
            f"{counted(failures, 'test')} failed on {sim}; repeat with: "
            f"spikeloom regress --sim {sim} --only {shlex.quote(failed[0])}"
        )
    if not json:
        tests = sum(result.tests for result in results)
        out.print(
            f"{counted(tests, 'test')} passed on {sim}, {counted(len(results), 'configuration')}"
        )
