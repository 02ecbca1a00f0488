"""Run a cocotb test module in a built simulation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from spikeloom.environment import own_environment
from spikeloom.errors import JobError
from spikeloom.tools import locate

PERIOD_NS = 10  # clock period of every testbench


def run_cocotb(
    simulator: Any,
    top: str,
    folder: Path,
    module: str,
    *,
    environment: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    waves: Path | None = None,
    arguments: Sequence[str] = (),
) -> tuple[int, int]:
    """Run the tests of cocotb module `module` on the simulation built in `folder`.

    Parameters
    ----------
    simulator : cocotb's name of the simulator.
    top : top module.
    folder : build folder; also receives ``simulation.log`` and ``results.xml``.
    environment : additional environment variables for the tests.
    waves : optional waveform file: FST if it ends in .fst, else VCD.
    arguments : additional simulator arguments.

    Returns (tests, failures). Raises `JobError` if the simulation crashes.
    """
    folder = Path(folder)
    results = folder / "results.xml"
    results.unlink(missing_ok=True)
    quiet = {"COCOTB_ANSI_OUTPUT": "0", "COCOTB_LOG_LEVEL": "WARNING"}
    runner = get_runner(simulator)
    runner.log.setLevel("ERROR")
    try:
        # Icarus uses the last format option; cocotb passes FST first.
        vcd = simulator == "icarus" and waves is not None and Path(waves).suffix == ".vcd"
        suffix = {"SIM_CMD_SUFFIX": "-vcd"} if vcd else {}
        with own_environment(PATH=_search_path(), **suffix):
            runner.test(
                test_module=module,
                hdl_toplevel=top,
                hdl_toplevel_lang="verilog",
                build_dir=folder,
                results_xml=str(results.resolve()),
                extra_env=quiet | dict(environment),
                log_file=folder / "simulation.log",
                waves=bool(waves),
                test_args=list(arguments),
                timescale=("1ns", "1ps"),
            )
    except ValueError as error:  # the runner finds no libpython
        raise JobError(f"{simulator}: {error}; `spikeloom doctor` says how to fix it") from None
    except (SystemExit, RuntimeError, OSError) as error:
        if not results.exists():
            raise JobError(f"{simulator}: simulation died ({error}): {_log_tail(folder)}") from None
    if not results.exists():
        raise JobError(f"{simulator}: simulation left no results: {_log_tail(folder)}")
    tests, failures = get_results(results)
    if not tests:
        raise JobError(f"{simulator}: simulation ran no test: {_log_tail(folder)}")
    return tests, failures


def _search_path():
    """PATH with the folder of Icarus Verilog, where the runner searches for it."""
    path = os.environ.get("PATH", os.defpath)
    icarus = locate("iverilog")
    return f"{Path(icarus).parent}{os.pathsep}{path}" if icarus else path


def _log_tail(folder):
    log = folder / "simulation.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else ["no log"]
    return " | ".join(line for line in lines[-5:] if line.strip()) + f" (log: {log})"
