"""`spikeloom run`: a user's tensors through a core."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from spikeloom.backend import Golden, require_equal
from spikeloom.cores import find_core
from spikeloom.errors import InputError
from spikeloom.families import netlists
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom_boards.driver.backend import run_batch
from spikeloom_boards.driver.jobs import open_for
from spikeloom_sim.backends import RTL, Netlist
from spikeloom_sim.tensors import load_tensor, save_tensor

from .options import (
    Assignments,
    Baud,
    ConfigFile,
    CoreName,
    Json,
    Port,
    SimulatorName,
    bytes_display,
    console,
    print_json,
    settings_of,
    steps,
)

BACKENDS = ("golden", "rtl", "netlist", "board")


def run(
    core: CoreName,
    q: Annotated[Path, typer.Option("--q", metavar="Q.npy")],
    k: Annotated[Path, typer.Option("--k", metavar="K.npy")],
    v: Annotated[Path, typer.Option("--v", metavar="V.npy")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.npy")],
    backend: Annotated[str, typer.Option(help="golden, rtl, netlist or board.")] = "golden",
    wave: Annotated[
        Path | None, typer.Option(help="Record a waveform (.vcd or .fst; rtl and netlist).")
    ] = None,
    rate: Annotated[bool, typer.Option("--rate", help="Write the mean over time steps.")] = False,
    codes: Annotated[
        bool, typer.Option("--codes", help="Write codes as they are, not decoded.")
    ] = False,
    family: Annotated[str, typer.Option(help=f"Netlist: {', '.join(netlists())}.")] = "ice40",
    sim: SimulatorName = "verilator",
    port: Port = None,
    baud: Baud = DEFAULT_BAUD,
    config: ConfigFile = None,
    set_: Assignments = None,
    json: Json = False,
):
    """Run attention on Q, K and V; all but golden are compared with the golden model."""
    found = find_core(core)
    if backend not in BACKENDS:
        raise InputError(f"unknown backend {backend!r}; backends: " + ", ".join(BACKENDS))
    if (backend == "board") != (port is not None):
        raise InputError("--backend board and --port PORT (or --port sim) go together")
    check_wave(wave, backend)
    check_output(output)
    tensors = {name: load_tensor(path, name) for name, path in (("q", q), ("k", k), ("v", v))}
    settings = settings_of(config, set_)
    if backend == "board":
        with (
            open_for(port, found, settings, tensors, baud) as (device, chosen, batch),
            bytes_display(quiet=json) as progress,
        ):
            show = chosen_view(chosen, rate, codes)
            runs = run_batch(device, chosen, batch, progress)
            seconds = sum(run.seconds for run in runs)
    else:
        chosen, batch = found.prepare(settings, **tensors)
        show = chosen_view(chosen, rate, codes)

    with steps(2, quiet=json) as begin:
        begin("golden model")
        expected = Golden().run(chosen, batch)
        if backend == "golden":
            runs = expected
        elif backend != "board":
            begin(f"{backend} on {sim}")
            options = {"simulator": sim, "wave": wave}
            place = Netlist(**options, family=family) if backend == "netlist" else RTL(**options)
            runs = place.run(chosen, batch)
            seconds = place.build_seconds + sum(run.seconds for run in runs)
    told = {"core": core, "backend": backend, "heads": len(batch), "config": chosen.as_dict()}
    if backend != "golden":
        require_equal(chosen, runs, expected)
        told |= {
            "cycles": [run.cycles for run in runs],
            "mismatches": 0,
            "flags": {name: max(run.flags[name] for run in runs) for name in runs[0].flags},
            "seconds": round(seconds, 2),
        }
    (name,) = chosen.outputs
    result = show(np.stack([run.outputs[name] for run in runs]))
    if tensors["q"].ndim == len(chosen.inputs["q"].shape):
        result = result[0]
    save_tensor(output, result)
    told |= {"output": str(output), "shape": list(result.shape), "dtype": str(result.dtype)}
    if json:
        print_json(told)
        return
    out = console()
    if "cycles" in told:
        cycles = ", ".join(map(str, np.unique(told["cycles"])))
        out.print(f"{backend}: {cycles} cycles a head, 0 mismatches, {told['seconds']} s")
    out.print(f"{output}: {result.dtype} {result.shape}")


def chosen_view(core, rate, codes):
    """The view of outputs that the options ask for. Raises `InputError` where a core has none."""
    views = core.views()
    for view, asked in (("rate", rate), ("codes", codes)):
        if asked and view not in views:
            raise InputError(f"--{view} is not for {core.NAME}; leave it out")
        if asked:
            return views[view]
    return next(iter(views.values()))


def check_wave(wave, backend):
    """Refuse a waveform that cannot be recorded."""
    if backend not in ("rtl", "netlist"):
        raise InputError("--wave needs --backend rtl or netlist: only there are signals to record")
    if wave.suffix not in (".vcd", ".fst"):
        raise InputError(f"--wave {wave}: name a .vcd or .fst file")
