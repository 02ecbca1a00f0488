"""The accuracy of a network on labelled images, by any backend."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import Backend, Operands, Progress, compare, golden_run, silent
from ..errors import InputError, echo
from ..item import UInt, real_numbers
from ..memory import check_memory
from . import golden
from .graph import INPUT
from .network import Network

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_LABEL_BITS = 16
TIMED = 10  # images whose cycles the formula gives, for the golden model


@dataclass(frozen=True)
class Evaluation:
    """What a network makes of labelled images.

    Members
    -------
    network, backend : their names.
    images : number of images.
    accuracy : fraction of images whose class is right.
    mismatches : outputs that differ from the golden model; None for the golden model.
    images_per_second : by the backend, without building.
    cycles : of an image, the mean; for the golden model, by the formula, of the first 10 images.
    classes : their names.
    confusion : number of images by class (rows) and by class that the network gives (columns).
    """

    network: str
    backend: str
    images: int
    accuracy: float
    mismatches: int | None
    images_per_second: float
    cycles: float
    classes: tuple[str, ...]
    confusion: list[list[int]]

    def as_dict(self) -> dict[str, Any]:
        """The members, for JSON."""
        return asdict(self)


def evaluate(
    core: Network,
    images: NDArray,
    labels: NDArray,
    backend: Backend | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Run a network on checked images and labels (`check_images`, `check_labels`), on a backend or
    on the golden model."""
    begun = time.monotonic()
    mismatches = None
    if backend is None or backend.name == "golden":
        found = golden.run_chunks(core.GRAPH, images, progress=progress).labels
        seconds = time.monotonic() - begun
        cycles = [core.cycles(**{INPUT: image}) for image in images[:TIMED]]
    else:
        batch: Sequence[Operands] = [{INPUT: image} for image in images]
        runs = backend.run(core, batch, progress)
        seconds = sum(run.seconds for run in runs)
        mismatches = compare(runs, [golden_run(core, operands) for operands in batch])
        found = np.array([run.outputs["label"] for run in runs])
        cycles = [run.cycles for run in runs]
    classes = len(core.GRAPH.classes)
    confusion = np.bincount(labels * classes + found, minlength=classes**2)
    return Evaluation(
        network=core.NAME,
        backend=backend.name if backend else "golden",
        images=len(images),
        accuracy=float(np.mean(found == labels)),
        mismatches=mismatches,
        images_per_second=round(len(images) / max(seconds, 1e-9), 1),
        cycles=float(np.mean(cycles)),
        classes=core.GRAPH.classes,
        confusion=confusion.reshape(classes, classes).tolist(),
    )


def check_images(core: Network, images: ArrayLike, name: str) -> NDArray:
    """Images (B, Y, X, C) of uint8, from an array whose axis of one channel may be left out.

    Raises `InputError` for a wrong shape or pixels that are no bytes.
    """
    port = core.inputs[INPUT]
    given = real_numbers(images, name)
    array = port.complete(given)
    rows, columns, channels = port.shape
    if array.shape[1:] != port.shape or not len(array):
        raise InputError(
            f"{name}: shape {given.shape} is not (images, {rows}, {columns}, {channels}), as "
            f"{core.NAME} takes"
        )
    if array.dtype != np.uint8:
        check_memory(10 * array.size, f"{name}, of shape {array.shape},", "the number of images")
        array = port.item.check(array, name).astype(np.uint8)
    return array


def check_labels(core: Network, labels: ArrayLike, images: int, name: str) -> NDArray:
    """Labels (B,), one for each of `images` images. Raises `InputError`."""
    array = UInt(MAX_LABEL_BITS).check(labels, name)
    if array.shape != (images,):
        raise InputError(f"{name}: shape {array.shape} is not ({images},), one for each image")
    classes = core.GRAPH.classes
    if array.max() >= len(classes):
        at = int(array.argmax())
        raise InputError(
            f"{name}: {array[at]} at [{at}]; the classes of {core.NAME} are 0..{len(classes) - 1} "
            f"({echo(classes[0])}..{echo(classes[-1])})"
        )
    return array
