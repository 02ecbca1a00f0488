"""`spikeloom tune`: a network in weights of fewer bits, fine-tuned."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from spikeloom_models.tasks import tune_network

from .options import (
    Device,
    Json,
    NetworkName,
    NetworkOutput,
    Threads,
    TrainingData,
    console,
    print_json,
    training_display,
)
from .tables import print_table


class Bits(StrEnum):
    """Bits of a weight."""

    FOUR = "4"
    SIX = "6"


class ImageBits(StrEnum):
    """Bits of a weight of the layer of the image."""

    FOUR = "4"
    SIX = "6"
    EIGHT = "8"


def tune(
    network: NetworkName,
    data: TrainingData,
    output: NetworkOutput,
    bits: Annotated[Bits, typer.Option(help="Of the weights.")] = Bits.FOUR,
    image_bits: Annotated[
        ImageBits,
        typer.Option(
            help="Of the weights of the layer of the image; more than --bits take twice the cycles."
        ),
    ] = ImageBits.EIGHT,
    images: Annotated[
        int | None, typer.Option("--images", min=1, help="Only the first N training images.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Passes over these images.")] = 2,
    rate: Annotated[float, typer.Option(min=1e-8, max=1, help="Largest learning rate.")] = 1e-3,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of the order.")] = 1,
    threads: Threads = 0,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Round a network to weights of fewer bits and fine-tune it on labelled images."""
    with training_display(epochs, quiet=json) as report:
        tuned = tune_network(
            network,
            data,
            output,
            int(bits.value),
            image_bits=int(image_bits.value),
            images=images,
            epochs=epochs,
            rate=rate,
            seed=seed,
            threads=threads,
            device=device,
            report=report,
        )
    accuracy = {"given": tuned.given, "rounded": tuned.rounded, "tuned": tuned.tuned}
    if json:
        print_json({"output": str(output), "images": tuned.images, "accuracy": accuracy})
        return
    rows = [(name, f"{100 * share:.2f}") for name, share in accuracy.items()]
    print_table(("network", f"right of {tuned.images:,} test images, %"), rows)
    first = f", of the layer of the image {image_bits.value}" * (image_bits.value != bits.value)
    console().print(f"{output}: weights of {bits.value} bits{first}")
