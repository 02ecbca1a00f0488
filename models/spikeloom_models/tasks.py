"""Training by name: a task, an architecture, a folder of data; the result is a network file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.errors import InputError, unknown
from spikeloom.networks import golden
from spikeloom.networks.engine.rounding import round_biases
from spikeloom.networks.evaluation import Activity, activity, check_images
from spikeloom.networks.file import SUFFIX, digest, save
from spikeloom.networks.graph import Graph
from spikeloom.networks.network import network_core
from spikeloom.outputs import check_file

from .data import FASHION_CLASSES, Labelled, read_data
from .keys import TrainingKeys

if TYPE_CHECKING:
    from .training import Progress, Recipe


@dataclass(frozen=True)
class Task:
    """Labelled images of one kind: names of the `classes`, and the `short` name of the data."""

    short: str
    title: str
    classes: tuple[str, ...]


TASKS = {
    "fashion-mnist": Task("fashion", "Fashion-MNIST", FASHION_CLASSES),
    "mnist": Task("mnist", "MNIST", tuple("0123456789")),
}
ARCHITECTURES = ("spikformer", "a2os2a", "spike-driven")
LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Trained:
    """A trained network, and what the golden model makes of the test images.

    Members
    -------
    images, accuracy : number of test images, and the share whose class is right.
    layers : the mean activity of each layer.
    """

    graph: Graph
    images: int
    accuracy: float
    layers: dict[str, Activity]


def check_torch(what: str) -> None:
    """Raise `InputError`, which says `what` needs it, if PyTorch is not installed."""
    if find_spec("torch") is None:
        raise InputError(f"{what} needs PyTorch; install it with: pip install 'spikeloom[torch]'")


def check_output(path: str | PathLike[str], inputs: Mapping[str, Any]) -> None:
    """Raise `InputError` unless a network file can be written to `path`; `inputs` as for
    `check_file`."""
    if Path(path).suffix != SUFFIX:
        raise InputError(f"{path}: the name of a network file ends in {SUFFIX}; rename it")
    check_file(path, inputs=inputs)


def train_task(
    task: str,
    architecture: str,
    data: str | PathLike[str],
    output: str | PathLike[str],
    *,
    name: str = "",
    settings: Mapping[str, Any] | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    checkpoint: str | PathLike[str] | None = None,
    **recipe,
) -> Trained:
    """Train a network, evaluate it on the test images, and write its file to `output`.

    `settings` holds keys of `TrainingKeys`, `recipe` parameters of
    `spikeloom_models.training.Recipe`. Raises `InputError`.
    """
    if task not in TASKS:
        raise unknown("task", task, TASKS)
    if architecture not in ARCHITECTURES:
        raise unknown("architecture", architecture, ARCHITECTURES)
    keys = TrainingKeys.from_settings(settings or {})
    check_output(output, {"--checkpoint": checkpoint, "--data": data})
    check_torch("training")
    from .export import to_graph
    from .torch import TransformerShape
    from .training import Recipe, train

    chosen, classes = Recipe(**keys.recipe(), **recipe), TASKS[task].classes
    images, held_out = (read_data(data, part, len(classes)) for part in ("train", "test"))
    sizes = {"image": images.images.shape[1:], "classes": len(classes), **keys.shape()}
    model = train(TransformerShape(form=architecture, **sizes), images, chosen, checkpoint, report)
    exported = to_graph(
        model,
        name or f"{TASKS[task].short}-{architecture}",
        classes,
        LICENCE,
        f"{architecture}, trained on {TASKS[task].title} by "
        f"`{_command(task, architecture, chosen, settings)}`",
    )
    graph = round_biases(exported)
    trained = assess(graph, held_out)
    save(output, graph)
    return trained


def _command(
    task: str, architecture: str, recipe: Recipe, settings: Mapping[str, Any] | None
) -> str:
    """The options of a training that decide its result."""
    keys = "".join(f" --set {key}={value}" for key, value in (settings or {}).items())
    return (
        f"spikeloom train {task} --arch {architecture} --epochs {recipe.epochs} --seed "
        f"{recipe.seed}{keys}"
    )


def assess(graph: Graph, data: Labelled, jobs: int | None = None) -> Trained:
    """A network as the golden model sees it on labelled images, on `jobs` processes."""
    core = network_core(digest(graph), graph)()
    result = golden.run_chunks(graph, check_images(core, data.images, "the images"), jobs=jobs)
    return Trained(
        graph,
        len(data),
        float((result.labels == data.labels).mean()),
        activity(graph, result),
    )
