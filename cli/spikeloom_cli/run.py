"""`spikeloom run`: a user's tensors through a core."""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from spikeloom.catalog import find_core
from spikeloom.errors import InputError, JobError, unknown
from spikeloom.link.protocol import DEFAULT_BAUD
from spikeloom_boards.driver.jobs import open_for, run_heads
from spikeloom_sim.adapters import adapter
from spikeloom_sim.backends import run_golden, run_rtl
from spikeloom_sim.netlist import FAMILIES
from spikeloom_sim.simulators import SIMULATORS
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
    family: Annotated[str, typer.Option(help="Netlist: ice40, ecp5 or ice40-routed.")] = "ice40",
    sim: SimulatorName = "verilator",
    port: Port = None,
    baud: Baud = DEFAULT_BAUD,
    config: ConfigFile = None,
    set_: Assignments = None,
    json: Json = False,
):
    """Run attention on Q, K and V; all but golden are compared with the golden model."""
    find_core(core)
    if backend not in BACKENDS:
        raise unknown("backend", backend, BACKENDS)
    if sim not in SIMULATORS:
        raise unknown("simulator", sim, SIMULATORS)
    if family not in FAMILIES:
        raise unknown("family", family, FAMILIES)
    if (backend == "board") != (port is not None):
        raise InputError("--backend board and --port PORT (or --port sim) go together")
    check_wave(wave, backend)
    check_output(output)
    model = adapter(core)
    for option, asked, ability in (("--rate", rate, "rate"), ("--codes", codes, "decode")):
        if asked and not hasattr(model, ability):
            raise InputError(f"{option} is not for {core}; leave it out")
    tensors = [load_tensor(path, name) for path, name in ((q, "q"), (k, "k"), (v, "v"))]
    settings = settings_of(config, set_)
    if backend == "board":
        with (
            open_for(port, core, settings, tensors, baud) as (device, chosen, heads),
            bytes_display(quiet=json) as progress,
        ):
            begun = time.monotonic()
            found, cycles = run_heads(device, chosen, heads, progress)
            seconds = time.monotonic() - begun
    else:
        chosen, heads = model.configure(settings, *tensors)

    told = {"core": core, "backend": backend, "heads": len(heads), "config": chosen.as_dict()}
    with steps(2, quiet=json) as begin:
        begin("golden model")
        expected = run_golden(chosen, heads)
        if backend == "golden":
            found = expected
        elif backend != "board":
            begin(f"{backend} on {sim}")
            netlist = family if backend == "netlist" else None
            result = run_rtl(chosen, heads, simulator=sim, wave=wave, netlist=netlist)
            found, cycles = result.outputs, result.cycles
            seconds = result.build_seconds + result.run_seconds
    if backend != "golden":
        told |= {
            "cycles": cycles,
            "mismatches": int((found != expected).sum()),
            "seconds": round(seconds, 2),
        }
    if told.get("mismatches"):
        raise JobError(f"{told['mismatches']} of {found.size} outputs differ from the golden model")
    if rate:
        found = model.rate(chosen, found)
    if hasattr(model, "decode") and not codes:
        found = model.decode(chosen, found)
    if tensors[0].ndim == model.axes(chosen):
        found = found[0]
    save_tensor(output, found)
    told |= {"output": str(output), "shape": list(found.shape), "dtype": str(found.dtype)}
    if json:
        print_json(told)
        return
    out = console()
    if "cycles" in told:
        clocks = ", ".join(map(str, np.unique(told["cycles"])))
        out.print(f"{backend}: {clocks} cycles a head, 0 mismatches, {told['seconds']} s")
    out.print(f"{output}: {found.dtype} {found.shape}")


def check_wave(wave, backend):
    """Refuse a waveform that cannot be recorded."""
    if wave is None:
        return
    if backend not in ("rtl", "netlist"):
        raise InputError("--wave needs --backend rtl or netlist: only there are signals to record")
    if wave.suffix not in (".vcd", ".fst"):
        raise InputError(f"--wave {wave}: name a .vcd or .fst file")
    check_output(wave)


def check_output(path):
    """Refuse a place where no file can be written."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: folder {path.parent} does not exist; create it first")
