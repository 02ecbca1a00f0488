"""Running a cocotb test module in a built simulation."""

import os
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from spikeloom.errors import JobError

PERIOD_NS = 10  # clock period of every testbench


def run_cocotb(simulator, top, folder, module, *, environment=(), waves=None, arguments=()):
    """Run the tests of cocotb module `module` on the simulation built in `folder`.

    Parameters
    ----------
    simulator : cocotb's name of the simulator.
    top : top module.
    folder : where it was built; ``simulation.log`` and ``results.xml`` go there too.
    environment : further variables for the tests.
    waves : file to record a waveform in, if any: FST if it ends in .fst, else VCD.
    arguments : further simulator arguments.

    Returns (tests, failures). Raises `JobError` where the simulation dies.
    """
    folder = Path(folder)
    results = folder / "results.xml"
    results.unlink(missing_ok=True)
    quiet = {"COCOTB_ANSI_OUTPUT": "0", "COCOTB_LOG_LEVEL": "WARNING"}
    runner = get_runner(simulator)
    runner.log.setLevel("ERROR")
    try:
        # Icarus takes the last format named; cocotb names FST before.
        suffix = "-vcd" if simulator == "icarus" and _is_vcd(waves) else None
        with _Variable("PYTEST_CURRENT_TEST"), _Variable("SIM_CMD_SUFFIX", suffix):
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
    except (SystemExit, RuntimeError, OSError) as error:
        if not results.exists():
            raise JobError(f"{simulator}: simulation died ({error}): {_log_tail(folder)}") from None
    if not results.exists():
        raise JobError(f"{simulator}: simulation left no results: {_log_tail(folder)}")
    return get_results(results)


def _log_tail(folder):
    log = folder / "simulation.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else ["no log"]
    return " | ".join(line for line in lines[-5:] if line.strip()) + f" (log: {log})"


def _is_vcd(waves):
    return waves is not None and Path(waves).suffix == ".vcd"


class _Variable:
    """Set an environment variable that cocotb's runner reads, or without a `value` hide it."""

    def __init__(self, name, value=None):
        self._name = name
        self._value = value

    def __enter__(self):
        self._saved = os.environ.pop(self._name, None)
        if self._value is not None:
            os.environ[self._name] = self._value

    def __exit__(self, *_):
        os.environ.pop(self._name, None)
        if self._saved is not None:
            os.environ[self._name] = self._saved
