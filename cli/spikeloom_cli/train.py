"""`spikeloom train`: a network from labelled images."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from spikeloom_models.keys import TrainingKeys
from spikeloom_models.tasks import ARCHITECTURES, TASKS, train_task

from .options import (
    ConfigFile,
    Device,
    Json,
    NetworkOutput,
    Threads,
    TrainingData,
    console,
    print_json,
    settings_of,
    training_display,
)
from .tables import print_activity


def train(
    task: Annotated[
        str, typer.Argument(metavar="TASK", help=f"Kind of images: {', '.join(TASKS)}.")
    ],
    data: TrainingData,
    output: NetworkOutput,
    arch: Annotated[
        str, typer.Option("--arch", metavar="NAME", help=f"One of: {', '.join(ARCHITECTURES)}.")
    ] = "spikformer",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the network; default: TASK-ARCH.")
    ] = "",
    config: ConfigFile = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A size of the network or a value of the recipe; repeatable. Keys: "
            f"{', '.join(TrainingKeys.keys())}.",
        ),
    ] = None,
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, max=10_000, help="Passes over the images.")
    ] = 20,
    short_epochs: Annotated[
        int,
        typer.Option(
            "--short-epochs", min=-1, help="The first ones, with half the steps; -1: 65 %."
        ),
    ] = -1,
    integer_epochs: Annotated[
        int,
        typer.Option("--integer-epochs", min=-1, help="The last ones, quantised; -1: 20 %."),
    ] = -1,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Seed of all that is random.")
    ] = 1,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="Written after each epoch; if it exists, training goes on from there.",
        ),
    ] = None,
    threads: Threads = 0,
    device: Device = "auto",
    compile_: Annotated[
        bool,
        typer.Option(
            "--compile/--no-compile", help="Compile the training step: minutes, then twice as fast."
        ),
    ] = True,
    json: Json = False,
) -> None:
    """Train a spiking network in the hardware's integers; write a network file."""
    with training_display(epochs, quiet=json) as report:
        trained = train_task(
            task,
            arch,
            data,
            output,
            name=name,
            settings=settings_of(config, set_),
            report=report,
            checkpoint=checkpoint,
            epochs=epochs,
            short_epochs=short_epochs,
            integer_epochs=integer_epochs,
            seed=seed,
            threads=threads,
            device=device,
            compiled=compile_,
        )
    if json:
        print_json(
            {
                "output": str(output),
                "accuracy": trained.accuracy,
                "images": trained.images,
                "layers": {name: asdict(layer) for name, layer in trained.layers.items()},
                "accumulator_bits": trained.graph.accumulator_bits if trained.graph else None,
            }
        )
        return
    if trained.layers:
        print_activity(trained.layers)
    out = console()
    out.print(f"accuracy on {trained.images:,} test images: {100 * trained.accuracy:.2f} %")
    out.print(f"{output}")
