"""`spikeloom run`: run a core on tensors from files."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from spikeloom.backend import Golden, Run, require_equal
from spikeloom.contract import Core
from spikeloom.cores import find_core
from spikeloom.errors import InputError
from spikeloom.families import find_netlist, netlists
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom.networks.finding import is_path
from spikeloom.outputs import check_file
from spikeloom_boards.driver.backend import run_batch
from spikeloom_boards.driver.jobs import open_for
from spikeloom_boards.rates import microseconds, number, preloaded, waiting
from spikeloom_sim.backends import RTL, Netlist
from spikeloom_sim.backends.wave import save_file_of
from spikeloom_sim.tensors import load_tensor, save_tensor

from . import completion
from .options import (
    Assignments,
    BackendName,
    Baud,
    ConfigFile,
    CoreName,
    Json,
    Port,
    SimulatorName,
    bytes_display,
    check_place,
    console,
    print_flags,
    print_json,
    settings_of,
    steps,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def run(
    core: CoreName,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT.npy", help="File to write.")
    ],
    q: Annotated[Path | None, typer.Option("--q", metavar="Q.npy", help="Queries.")] = None,
    k: Annotated[Path | None, typer.Option("--k", metavar="K.npy", help="Keys.")] = None,
    v: Annotated[Path | None, typer.Option("--v", metavar="V.npy", help="Values.")] = None,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="X.npy", help="Image of a network.")
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=X.npy", help="Operand NAME of any other core."),
    ] = None,
    backend: BackendName = "golden",
    wave: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Record a waveform (.vcd or .fst; rtl and netlist)."),
    ] = None,
    rate: Annotated[bool, typer.Option("--rate", help="Write the mean over time steps.")] = False,
    codes: Annotated[
        bool, typer.Option("--codes", help="Write raw codes, not decoded values.")
    ] = False,
    family: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"Netlist: {', '.join(netlists())}.",
            autocompletion=completion.families,
        ),
    ] = next(iter(netlists())),
    sim: SimulatorName = "verilator",
    port: Port = None,
    baud: Baud = DEFAULT_BAUD,
    config: ConfigFile = None,
    set_: Assignments = None,
    json: Json = False,
) -> None:
    """Run a core on tensors; compare every backend except golden with the golden model."""
    core_class = find_core(core)
    check_place(backend, sim, port)
    find_netlist(family)
    view = wanted_view(core_class, rate, codes)
    paths = operand_paths(q=q, k=k, v=v, image=image, inputs=inputs or ())
    read = {f"operand {name}": path for name, path in paths.items()} | {"--config": config}
    read |= {"the network": core} if is_path(core) else {}
    check_file(output, inputs=read)
    if wave is not None:
        check_wave(wave, backend)
        check_file(wave, "--wave", read | {"-o": output})
    tensors = {name: load_tensor(path, name) for name, path in paths.items()}
    settings = settings_of(config, set_)

    if port is not None:
        job = on_board(core_class, settings, tensors, port, baud, json)
    else:
        job = on_machine(core_class, settings, tensors, backend, sim, family, wave, json)
    show = job.core.views()[view]
    name, *others = job.core.outputs  # the first one is written, others are shown
    result = show(np.stack([run.outputs[name] for run in job.runs]))
    if all(x.complete(tensors[n]).ndim == len(x.shape) for n, x in job.core.inputs.items()):
        result = result[0]
    save_tensor(output, result)
    shown = {name: [run.outputs[name].tolist() for run in job.runs] for name in others}
    summary = job.summary | {"output": str(output), "shape": list(result.shape)}
    summary["dtype"] = str(result.dtype)
    summary |= shown
    if json:
        print_json(summary)
    else:
        each = "a head" if job.core.RUN == "attention" else f"an {job.core.RUN}"
        print_job(summary, each, f"{output}: {result.dtype} {result.shape}", wave)
        for name, values in shown.items():
            console().print(f"{name}: {shortened(values)}")


@dataclass
class Job:
    """A finished job: the configured core, its `runs`, and a `summary` of them for ``--json``."""

    core: Core
    runs: list[Run]
    summary: dict[str, Any]


def on_machine(
    core_class: type[Core],
    settings: Mapping[str, Any],
    tensors: Mapping[str, NDArray],
    backend: str,
    sim: str,
    family: str,
    wave: Path | None,
    quiet: bool,
) -> Job:
    """Run on the golden model or in a simulator; returns a `Job`."""
    core, batch = core_class.prepare(settings, **tensors)
    summary = described(core, backend, len(batch))
    with steps(2, quiet=quiet) as begin:
        begin("golden model")
        runs = expected = Golden().run(core, batch)
        if backend == "golden":
            return Job(core, runs, summary)
        begin(f"{backend} on {sim}")
        begun = time.monotonic()
        options = {"simulator": sim, "wave": wave}
        place = Netlist(**options, family=family) if backend == "netlist" else RTL(**options)
        runs = place.run(core, batch)
        seconds = time.monotonic() - begun
    require_equal(core, runs, expected)
    return Job(core, runs, summary | measured(runs, preloaded(core), seconds))


def on_board(
    core_class: type[Core],
    settings: Mapping[str, Any],
    tensors: Mapping[str, NDArray],
    port: str,
    baud: int,
    quiet: bool,
) -> Job:
    """Run on a board and compare with the golden model; returns a `Job`."""
    with open_for(port, core_class, settings, tensors, baud) as (device, core, batch):
        with bytes_display(quiet=quiet or not core.loads, what="load") as progress:
            device.load(progress)
        with bytes_display(quiet=quiet) as progress:
            begun = time.monotonic()
            runs = run_batch(device, core, batch, progress)
            seconds = time.monotonic() - begun
        hz = device.hz
    require_equal(core, runs, Golden().run(core, batch))
    summary = described(core, "board", len(batch)) | measured(runs, waiting(core), seconds)
    per_head = sum(run.seconds for run in runs) / len(runs)
    in_core = sum(run.cycles for run in runs) / len(runs) / hz
    return Job(
        core,
        runs,
        summary
        | {"core_seconds_per_head": round(in_core, 9), "seconds_per_head": round(per_head, 6)},
    )


def described(core: Core, backend: str, heads: int) -> dict[str, Any]:
    """The core, backend and configuration of a job, for JSON."""
    return {"core": core.NAME, "backend": backend, "heads": heads, "config": core.as_dict()}


def measured(runs: Sequence[Run], cycles_include: str, seconds: float) -> dict[str, Any]:
    """Cycles, flags and time of runs that match the golden model, for JSON."""
    return {
        "cycles": [run.cycles for run in runs],
        "cycles_include": cycles_include,
        "flags": runs[-1].flags,
        "mismatches": 0,
        "seconds": round(seconds, 2),
    }


def print_job(summary: Mapping[str, Any], each: str, written: str, wave: Path | None) -> None:
    """Print the results of a job and the files written; `each` is one run, with its article."""
    out = console()
    if "cycles" in summary:
        cycles = ", ".join(map(str, np.unique(summary["cycles"])))
        out.print(
            f"{summary['backend']}: {cycles} cycles {each} ({summary['cycles_include']}), "
            f"0 mismatches, {summary['seconds']} s"
        )
        if "seconds_per_head" in summary:
            for what, key in (
                ("core", "core_seconds_per_head"),
                ("with the line", "seconds_per_head"),
            ):
                seconds = summary[key]
                rate = number(1 / seconds)
                out.print(f"{what}: {microseconds(seconds * 1e6)} {each}, {rate} a second")
        print_flags(summary["flags"])
    out.print(written)
    if wave:
        out.print(f"{wave}: waveform (gtkwave {save_file_of(wave)})")


def shortened(values: Sequence[Any]) -> str:
    """The first values, separated by commas."""
    return ", ".join(map(str, values[:10])) + (", ..." if len(values) > 10 else "")


def operand_paths(*, inputs: Sequence[str], **named: Path | None) -> dict[str, Path]:
    """The file of each operand, from ``--q``, ``--k``, ``--v``, ``--image`` and
    ``--input NAME=FILE``."""
    paths = {name: path for name, path in named.items() if path is not None}
    for text in inputs:
        name, equals, path = text.partition("=")
        if not (equals and name and path):
            raise InputError(f"--input {text!r} is not of the form NAME=FILE.npy")
        if name in paths:
            raise InputError(f"--input {text}: operand {name} is given twice")
        paths[name] = Path(path)
    return paths


def wanted_view(core: type[Core], rate: bool, codes: bool) -> str:
    """The output view that the options select; `InputError` if the core does not have it."""
    for view, asked in (("rate", rate), ("codes", codes)):
        if asked and view not in core.VIEWS:
            raise InputError(f"--{view} does not apply to {core.NAME}; leave it out")
        if asked:
            return view
    return core.VIEWS[0]


def check_wave(wave: Path, backend: str) -> None:
    """Refuse a waveform that cannot be recorded."""
    if backend not in ("rtl", "netlist"):
        raise InputError("--wave needs --backend rtl or netlist: other backends have no signals")
    if wave.suffix not in (".vcd", ".fst"):
        raise InputError(f"--wave {wave}: name a .vcd or .fst file")
