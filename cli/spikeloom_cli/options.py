"""Command-line options and output functions shared by the subcommands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from spikeloom.configuration import read_settings
from spikeloom.errors import InputError, unknown
from spikeloom.link.protocol import MAX_BAUD
from spikeloom_boards.technologies import TECHNOLOGIES
from spikeloom_sim.simulators import SIMULATORS

from . import completion

if TYPE_CHECKING:
    from spikeloom_models.progress import Progress as Reported

CoreName = Annotated[
    str,
    typer.Argument(
        metavar="CORE",
        help="Name of a core or network (see `spikeloom list`), or a network file.",
        autocompletion=completion.cores,
    ),
]
EveryCore = Annotated[
    str | None,
    typer.Argument(
        metavar="CORE",
        help="Core, network or network file (default: every core).",
        show_default=False,
        autocompletion=completion.cores,
    ),
]
OnlyConfigurations = Annotated[
    str, typer.Option("--only", help="Only configurations whose name contains TEXT.")
]
NetworkName = Annotated[
    str,
    typer.Argument(
        metavar="NET",
        help="Name of a network (see `spikeloom list`), or a network file.",
        autocompletion=completion.networks,
    ),
]
BoardName = Annotated[
    str | None,
    typer.Option(
        "--board",
        metavar="BOARD",
        help="Board; its preset sets the keys.",
        autocompletion=completion.boards,
    ),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="TOML file of configuration keys.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set a configuration key; repeatable, the last one wins.",
        autocompletion=completion.assignments,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write.")]
NetworkOutput = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="Network file to write.")
]
TrainingData = Annotated[
    Path,
    typer.Option("--data", metavar="PATH", help="Folder of the IDX files, or an .npz file."),
]
Threads = Annotated[
    int, typer.Option("--threads", min=0, max=999, help="Threads; 0: as PyTorch chooses.")
]
Device = Annotated[
    str,
    typer.Option("--device", metavar="NAME", help="Device of PyTorch: auto, cpu, cuda, cuda:1."),
]
BackendName = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="Where to run: golden, rtl, netlist or board.",
        autocompletion=completion.backends,
    ),
]
SimulatorName = Annotated[
    str,
    typer.Option(
        "--sim",
        metavar="NAME",
        help="Simulator: verilator or icarus.",
        autocompletion=completion.simulators,
    ),
]

Port = Annotated[
    str | None,
    typer.Option(
        "--port", metavar="PORT", help="Serial port of a board, or sim for a simulated board."
    ),
]
Baud = Annotated[
    int, typer.Option("--baud", min=1, max=MAX_BAUD, help="Baud rate of the host link.")
]

TechnologyName = Annotated[
    str,
    typer.Option(
        "--technology",
        metavar="NAME",
        help="Prices of operations for estimates of energy: " + ", ".join(TECHNOLOGIES) + ".",
        autocompletion=completion.technologies,
    ),
]

Densities = Annotated[
    list[str] | None,
    typer.Option(
        "--density",
        metavar="OPERAND=SHARE",
        help="Share of nonzero elements, for the energy (default: as in trained networks).",
    ),
]
Place = Annotated[
    bool,
    typer.Option("--place", help="Place and route for Fmax, instead of estimating it; minutes."),
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, max=99, help="Place-and-route runs.")]

Display = AbstractContextManager[Callable[[int, int], None]]
"""A progress display that yields a function of what is done and the total."""


def check_place(backend: str, simulator: str, port: str | None) -> None:
    """Refuse unknown backends and simulators, and a board without its port or the reverse."""
    if backend not in completion.BACKENDS:
        raise unknown("backend", backend, completion.BACKENDS)
    if simulator not in SIMULATORS:
        raise unknown("simulator", simulator, SIMULATORS)
    if (backend == "board") != (port is not None):
        raise InputError("--backend board and --port PORT (or --port sim) must be given together")


def settings_of(config: Path | None, assignments: Iterable[str] | None) -> dict[str, Any]:
    """Settings from a ``--config`` file and ``--set`` options."""
    return read_settings(config, assignments or ())


def place_seeds(place: bool, seeds: int) -> tuple[int, ...]:
    """The seeds of `Place` and `Seeds`: none without placement."""
    return tuple(range(1, seeds + 1)) if place else ()


def densities_of(texts: Iterable[str] | None) -> dict[str, float]:
    """Shares of nonzero elements from ``OPERAND=SHARE`` texts. Raises `InputError`."""
    found = {}
    for text in texts or ():
        name, _, share = text.partition("=")
        try:
            found[name.strip()] = float(share)
        except ValueError:
            raise InputError(f"--density {text!r} is not of the form OPERAND=SHARE") from None
    return found


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, indent=2))


def print_flags(flags: Mapping[str, int]) -> None:
    """Print the nonzero flags of a core, if any."""
    raised = ", ".join(f"{name} = {value:,}" for name, value in flags.items() if value)
    if raised:
        console().print(f"flags of the core since its reset: {raised}")


def console() -> Console:
    """The console for text on standard output."""
    return Console(highlight=False, soft_wrap=True)


@contextmanager
def steps(total: int, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A progress display of `total` steps; yields a function that begins the next one by name.

    Shown on standard error, and only to a terminal.
    """
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=quiet or not sys.stderr.isatty(),
        transient=True,
    ) as progress:
        task = progress.add_task("starting", total=total)
        begun = 0

        def begin(name):
            nonlocal begun
            progress.update(task, description=name, completed=begun)
            begun += 1

        yield begin


def count_display(what: str, quiet: bool = False) -> Display:
    """A progress display of a job; yields a function of the number of `what` done and the total.

    Shown on standard error, and only to a terminal.
    """
    return _display(what, MofNCompleteColumn(), quiet)


def bytes_display(quiet: bool = False, what: str = "transfer") -> Display:
    """A progress display of a transfer; yields a function of the bytes done and the total.

    Shown on standard error, and only to a terminal.
    """
    return _display(what, DownloadColumn(), quiet)


@contextmanager
def _display(
    what: str, amount: ProgressColumn, quiet: bool
) -> Iterator[Callable[[int, int], None]]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        amount,
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=quiet or not sys.stderr.isatty(),
        transient=True,
    ) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def training_display(epochs: int, quiet: bool = False) -> Iterator[Callable[[Reported], None]]:
    """A display of a training; yields a function of what the training reports.

    A terminal shows progress and time left on standard error; otherwise each epoch is one line.
    """
    terminal = sys.stderr.isatty()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        console=Console(stderr=True),
        disable=quiet or not terminal,
        transient=True,
    ) as progress:
        task = progress.add_task("reading", total=epochs)

        def report(now):
            where = f"epoch {now.epoch + 1} of {epochs}, loss {now.loss:.3f}"
            left = f"{timedelta(seconds=round(now.seconds_left))} left"
            done = now.epoch + (now.step + 1) / now.steps
            progress.update(task, description=f"{where}, {left}", completed=done)
            if not terminal and not quiet and now.step == now.steps - 1:
                print(f"{where}, {left}", file=sys.stderr, flush=True)

        yield report
