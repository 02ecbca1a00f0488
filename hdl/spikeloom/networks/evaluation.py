"""The accuracy of a network on labelled images, by any backend."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import Backend, Operands, Progress, Run, compare, silent
from ..errors import InputError, echo
from ..item import UInt, real_numbers
from ..memory import check_memory
from . import golden
from .graph import INPUT, Graph
from .network import Network
from .signals import Spikes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_LABEL_BITS = 16
TIMED = 10  # images whose cycles the formula gives, for the golden model
COMPARED = 100  # images whose measured cycles are compared with the formula


@dataclass(frozen=True)
class Activity:
    """The mean activity of a layer: `ones`, the mean magnitude of its output (the share of neurons
    that spike), and the `additions` with nonzero operands that it makes for an image."""

    ones: float
    additions: float


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
    cycles, cycles_min, cycles_max : of an image, the mean and the extremes; for the golden model,
        by the formula, of the first 10 images, or None if the engine does not run the network.
    cycles_differ : of the first 100 images, the number whose measured cycles are not those of the
        formula; None for the golden model, and for a board, which also counts the cycles in which
        the line keeps outputs waiting.
    classes : their names.
    confusion : number of images by class (rows) and by class that the network gives (columns).
    layers : the activity of each layer, by the golden model.
    additions : with nonzero operands, for an image, by layer; those of layers without spikes too.
    differing : numbers of the images whose class is not the one of a reference, such as the
        floating-point network; None without a reference.
    """

    network: str
    backend: str
    images: int
    accuracy: float
    mismatches: int | None
    images_per_second: float
    cycles: float | None
    cycles_min: int | None
    cycles_max: int | None
    cycles_differ: int | None
    classes: tuple[str, ...]
    confusion: list[list[int]]
    layers: dict[str, Activity]
    additions: dict[str, float]
    differing: list[int] | None

    def as_dict(self) -> dict[str, Any]:
        """The members, for JSON."""
        return asdict(self)


def evaluate(
    core: Network,
    images: NDArray,
    labels: NDArray,
    backend: Backend | None = None,
    progress: Progress = silent,
    reference: NDArray | None = None,
) -> Evaluation:
    """Run a network on checked images and labels (`check_images`, `check_labels`), on a backend or
    on the golden model. `reference` holds the classes (B,) that another network gives."""
    differ = None
    if backend is None or backend.name == "golden":
        begun = time.monotonic()
        golden_result = golden.run_chunks(core.GRAPH, images, progress=progress)
        seconds, mismatches, found = time.monotonic() - begun, None, golden_result.labels
        timed = [] if core.refusal else images[:TIMED]
        cycles = [core.cycles(**{INPUT: image}) for image in timed]
    else:
        batch: Sequence[Operands] = [{INPUT: image} for image in images]
        runs = backend.run(core, batch, progress)
        golden_result = golden.run_chunks(core.GRAPH, images)
        mismatches = compare(runs, _golden_runs(golden_result))
        seconds = sum(run.seconds for run in runs)
        found = np.array([run.outputs["label"] for run in runs])
        cycles = [run.cycles for run in runs]
        if backend.name != "board":
            pairs = zip(cycles[:COMPARED], batch, strict=False)
            differ = sum(int(measured != core.cycles(**operands)) for measured, operands in pairs)
    classes = len(core.GRAPH.classes)
    confusion = np.bincount(labels * classes + found, minlength=classes**2)
    return Evaluation(
        network=core.NAME,
        backend=backend.name if backend else "golden",
        images=len(images),
        accuracy=float(np.mean(found == labels)),
        mismatches=mismatches,
        images_per_second=round(len(images) / max(seconds, 1e-9), 1),
        cycles=float(np.mean(cycles)) if cycles else None,
        cycles_min=min(map(int, cycles), default=None),
        cycles_max=max(map(int, cycles), default=None),
        cycles_differ=differ,
        classes=core.GRAPH.classes,
        confusion=confusion.reshape(classes, classes).tolist(),
        layers=activity(core.GRAPH, golden_result),
        additions={name: float(x.mean()) for name, x in golden_result.additions.items()},
        differing=None if reference is None else np.flatnonzero(found != reference).tolist(),
    )


def activity(graph: Graph, result: golden.Result) -> dict[str, Activity]:
    """The mean activity of each layer that spikes."""
    found = {}
    for name, counts in result.counts.items():
        signal = graph.signals[name]
        assert isinstance(signal, Spikes)
        ones = float(counts.mean()) / (signal.steps * signal.tokens * signal.dims)
        found[name] = Activity(ones, float(result.additions[name].mean()))
    return found


def _golden_runs(result: golden.Result) -> list[Run]:
    outputs = zip(result.logits, result.labels, strict=True)
    return [Run({"logits": logits, "label": label}) for logits, label in outputs]


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


def check_reference(core: Network, values: ArrayLike, images: int, name: str) -> NDArray:
    """The classes (B,) that a reference gives: classes, or logits (B, classes). Raises
    `InputError`."""
    array = np.asarray(values)
    if array.ndim < 2:
        return check_labels(core, array, images, name)
    wanted = (images, len(core.GRAPH.classes))
    if array.shape != wanted:
        raise InputError(f"{name}: shape {array.shape} is not {wanted}, the logits of each image")
    return real_numbers(array, name).argmax(1)
