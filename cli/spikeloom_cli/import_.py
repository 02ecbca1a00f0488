"""`spikeloom import`: a PyTorch checkpoint as a network file."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from spikeloom.errors import InputError
from spikeloom_models.importers.jobs import Imported, import_checkpoint

from .evaluate import load
from .options import Json, NetworkOutput, console, print_json
from .tables import print_pairs, print_table

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Bits(StrEnum):
    """Bits of a weight."""

    FOUR = "4"
    SIX = "6"
    EIGHT = "8"
    TWELVE = "12"
    SIXTEEN = "16"
    AUTO = "auto"


class StemBits(StrEnum):
    """Bits of a weight of the stem."""

    SIX = "6"
    EIGHT = "8"
    TWELVE = "12"
    SIXTEEN = "16"


def import_(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help=".pth, .pt, .tar or .safetensors.")
    ],
    arch: Annotated[
        str, typer.Option("--arch", metavar="NAME", help="Architecture of the checkpoint.")
    ],
    output: NetworkOutput,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A value that a checkpoint does not hold, such as heads=12.",
        ),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="X.npy",
            help="Images (B, Y, X, C) of bytes, on which integers and floating point are compared; "
            ".npy or IDX (.gz).",
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="Y.npy", help="Classes (B,) of these images.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N images.")] = None,
    bits: Annotated[
        Bits,
        typer.Option(
            help="Of the weights; more than 8 take twice the cycles. auto: the fewest that lose at "
            "most 0.3 points, of the stem too."
        ),
    ] = Bits.EIGHT,
    stem_bits: Annotated[
        StemBits | None,
        typer.Option(
            help="Of the weights of convolutions and of the layer of the image, at most twice "
            "--bits; more than --bits take twice the cycles. Default: --bits."
        ),
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Show what each number of bits costs.")
    ] = False,
    exact_biases: Annotated[
        bool,
        typer.Option("--exact-biases", help="Do not round biases to save cycles of the engine."),
    ] = False,
    own_thresholds: Annotated[
        bool,
        typer.Option(
            "--own-thresholds",
            help="Scales of their own for the outputs of a layer, where that is more exact.",
        ),
    ] = False,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the network; default: of the file.")
    ] = "",
    classes: Annotated[
        str, typer.Option(metavar="A,B,...", help="Names of the classes, with commas.")
    ] = "",
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="R.npy",
            help="Also write the logits of the network in floating point, for `evaluate`.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Turn a PyTorch checkpoint into a network file, in the hardware's integers."""
    images = None if calibrate is None else _images(load(calibrate, "--calibrate"))
    truth = None if labels is None else load(labels, "--labels")
    if truth is not None and images is not None and truth.shape != images.shape[:1]:
        raise InputError(f"--labels: shape {truth.shape} is not ({len(images)},), one an image")
    imported = import_checkpoint(
        checkpoint,
        arch,
        output,
        _settings(set_ or []),
        images=None if images is None else images[:limit],
        labels=None if truth is None else truth[:limit],
        bits=bits.value if bits is Bits.AUTO else int(bits.value),
        stem_bits=None if stem_bits is None else int(stem_bits.value),
        sweep=sweep,
        exact_biases=exact_biases,
        own_thresholds=own_thresholds,
        name=name or output.stem,
        classes=tuple(classes.split(",")) if classes else (),
        reference=reference,
    )
    if json:
        print_json(_as_dict(imported, output))
    else:
        _print(imported, output)


def _settings(assignments: list[str]) -> dict[str, str]:
    pairs = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key or key in pairs:
            raise InputError(f"--set {text}: write KEY=VALUE, each key once")
        pairs[key] = value
    return pairs


def _images(array: NDArray) -> NDArray:
    if array.dtype != np.uint8 or array.ndim not in (3, 4) or not array.size:
        raise InputError(
            f"--calibrate: {array.dtype} of shape {array.shape}; give bytes (B, Y, X, C) or "
            "(B, Y, X)"
        )
    return array if array.ndim == 4 else array[..., None]


def _as_dict(imported: Imported, output: Path) -> dict:
    return {
        "output": str(output),
        "name": imported.graph.name,
        "bits": imported.bits,
        "stem_bits": imported.stem_bits,
        "weights": imported.graph.weights,
        "accumulator_bits": imported.graph.accumulator_bits,
        "settings": imported.settings,
        "images": imported.images,
        "float_accuracy": imported.float_accuracy,
        "tried": [asdict(one) for one in imported.tried],
        "layers": {layer: asdict(cut) for layer, cut in imported.cuts.items()},
        "codes": {layer: asdict(code) for layer, code in imported.codes.items()},
        "biases": imported.biases,
    }


def _print(imported: Imported, output: Path) -> None:
    out = console()
    out.print("not in the checkpoint:")
    print_pairs(
        (key, f"{_shown(value)}  ({'given' if key in imported.given else 'default'})")
        for key, value in imported.settings.items()
    )
    cuts = imported.cuts.items()
    print_table(
        ("layer", "rounding error, %", "clipped, %"),
        [(layer, f"{100 * c.error:.2f}", f"{100 * c.clipped:.2f}") for layer, c in cuts],
    )
    if imported.codes:
        print_table(
            ("layer", "base", "steps", "error of the code, %"),
            [
                (layer, f"{c.base:.4f}", f"{c.steps}", f"{100 * c.error:.3f}")
                for layer, c in imported.codes.items()
            ],
        )
    if imported.biases:
        most = max(imported.biases.values())
        out.print(
            f"biases of {', '.join(imported.biases)} rounded, so that the engine takes fewer "
            f"cycles; the largest change is {100 * most:.1f} % of a threshold"
        )
    if imported.images:
        print_table(
            ("weights", "same class as floating point, %", "right, %"),
            [
                (_bits(t.bits, t.stem_bits), _percent(t.agreement), _percent(t.accuracy))
                for t in imported.tried
            ],
        )
    if imported.float_accuracy is not None:
        right = _percent(imported.float_accuracy)
        out.print(f"floating point: {right} % of {imported.images:,} images")
    out.print(
        f"{output}: {imported.graph.weights:,} weights of "
        f"{_bits(imported.bits, imported.stem_bits)}, accumulators of "
        f"{imported.graph.accumulator_bits} bits"
    )


def _shown(value) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _bits(bits: int, stem_bits: int) -> str:
    return f"{bits} bits" if bits == stem_bits else f"{bits} bits, stem {stem_bits}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}"
