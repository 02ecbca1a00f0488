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
from spikeloom.networks.file import SUFFIX, save
from spikeloom.networks.finding import find_network, is_path, network_names
from spikeloom.networks.graph import Graph, check_name
from spikeloom.networks.network import network_core
from spikeloom.outputs import check_file

from .data import FASHION_CLASSES, Labelled, read_data
from .keys import TrainingKeys

if TYPE_CHECKING:
    from .progress import TrainingProgress
    from .torch import TransformerShape
    from .training import Recipe


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
VIT = "vit"
ARCHITECTURES = ("spikformer", "a2os2a", "spike-driven", "ssa", VIT)
DEFAULTS: dict[str, dict[str, Any]] = {  # of the keys, where they differ from the flagship's
    "ssa": {"steps": 10, "penalty": 0.0},  # the default of `cycles` is for four steps
}
UNUSED: dict[str, tuple[str, ...]] = {  # keys that mean nothing to an architecture
    "spikformer": ("k_bits",),
    "spike-driven": ("k_bits",),
    "ssa": ("k_bits",),
    VIT: ("steps", "weight_bits", "k_bits", "cycles", "penalty"),
}
LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Trained:
    """A trained network, and what the golden model makes of the test images.

    Members
    -------
    graph : None for a network without spikes, which no golden model computes.
    images, accuracy : number of test images, and the share whose class is right.
    layers : the mean activity of each layer.
    """

    graph: Graph | None
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
    report: Callable[[TrainingProgress], None] = lambda _: None,
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
    if name:
        check_name(name)
    for key in UNUSED.get(architecture, ()):
        if key in (settings or {}):
            raise InputError(f"train: key {key} means nothing to --arch {architecture}; remove it")
    keys = TrainingKeys.from_settings(DEFAULTS.get(architecture, {}) | dict(settings or {}))
    check_output(output, {"--checkpoint": checkpoint, "--data": data})
    check_torch("training")
    from .training import Recipe

    if architecture == VIT:
        recipe |= {"short_epochs": 0, "integer_epochs": 0}
    job = _Job(task, architecture, keys, Recipe(**keys.recipe(), **recipe))
    images, held_out = (read_data(data, part, len(job.classes)) for part in ("train", "test"))
    if architecture == VIT:
        return _train_vit(job, images, held_out, output, checkpoint, report)
    graph = _train_spiking(job, images, name, checkpoint, report)
    trained = assess(graph, held_out)
    save(output, graph)
    return trained


@dataclass(frozen=True)
class _Job:
    """What to train, and how."""

    task: str
    architecture: str
    keys: TrainingKeys
    recipe: Recipe

    @property
    def classes(self) -> tuple[str, ...]:
        return TASKS[self.task].classes

    def shape(self, data: Labelled, **fields: Any) -> TransformerShape:
        """The sizes of the network, of which the data decide some."""
        from .torch import TransformerShape

        image = data.images.shape[1:]
        sizes = {"image": image, "classes": len(self.classes), **self.keys.shape()}
        return TransformerShape(**sizes, **fields)

    @property
    def command(self) -> str:
        """The options that decide the result."""
        given = self.keys.as_dict().items()
        keys = "".join(f" --set {key}={value}" for key, value in given if value is not None)
        return (
            f"spikeloom train {self.task} --arch {self.architecture} --epochs "
            f"{self.recipe.epochs} --seed {self.recipe.seed}{keys}"
        )


def _train_spiking(
    job: _Job,
    images: Labelled,
    name: str,
    checkpoint: str | PathLike[str] | None,
    report: Callable[[TrainingProgress], None],
) -> Graph:
    """A trained network in integers."""
    from .export import to_graph
    from .training import train

    shape = job.shape(images, form=job.architecture)
    graph = to_graph(
        train(shape, images, job.recipe, checkpoint, report),
        name or f"{TASKS[job.task].short}-{job.architecture}",
        job.classes,
        LICENCE,
        f"{job.architecture}, trained on {TASKS[job.task].title} by `{job.command}`",
    )
    return round_biases(graph)


def _train_vit(
    job: _Job,
    images: Labelled,
    held_out: Labelled,
    output: str | PathLike[str],
    checkpoint: str | PathLike[str] | None,
    report: Callable[[TrainingProgress], None],
) -> Trained:
    """A trained vision transformer, whose weights in floating point are written to `output`."""
    from .torch import VisionTransformer
    from .training import classes_of, save_weights, train

    shape = job.shape(images)
    model = train(shape, images, job.recipe, checkpoint, report, kind=VisionTransformer)
    accuracy = float((classes_of(model, held_out.images) == held_out.labels).mean())
    save_weights(output, model)
    return Trained(None, len(held_out), accuracy, {})


def assess(graph: Graph, data: Labelled, jobs: int | None = None) -> Trained:
    """A network as the golden model sees it on labelled images, on `jobs` processes."""
    core = network_core(graph)()
    result = golden.run_chunks(graph, check_images(core, data.images, "the images"), jobs=jobs)
    return Trained(
        graph,
        len(data),
        float((result.labels == data.labels).mean()),
        activity(graph, result),
    )


@dataclass(frozen=True)
class Tuned:
    """A network in weights of fewer bits.

    Members
    -------
    images : number of test images.
    given, rounded, tuned : the share of them that is right, by the given network, with rounded
        weights, and after the fine-tuning.
    """

    graph: Graph
    images: int
    given: float
    rounded: float
    tuned: float


def tune_network(
    network: str,
    data: str | PathLike[str],
    output: str | PathLike[str],
    bits: int,
    *,
    image_bits: int | None = None,
    images: int | None = None,
    **options,
) -> Tuned:
    """Round a network to weights of `bits` bits, fine-tune it on the first `images` training
    images, and write its file to `output`. The layer of the image has weights of `image_bits` bits.

    `options` are those of `spikeloom_models.tuning.tune`. Raises `InputError`.
    """
    core = find_network(network)
    if core is None:
        raise unknown("network", network, network_names())
    graph = core.GRAPH
    check_output(output, {"the network": network if is_path(network) else None, "--data": data})
    check_torch("fine-tuning")
    from .tuning import requantised, tune

    given, test = (read_data(data, part, len(graph.classes)) for part in ("train", "test"))
    for part in (given, test):
        check_images(core(), part.images[:1], str(data))
    rounded = requantised(graph, bits, image_bits)
    tuned = round_biases(tune(rounded, given.first(images), **options))
    accuracy = [_accuracy(one, test) for one in (graph, rounded, tuned)]
    save(output, tuned)
    return Tuned(tuned, len(test), *accuracy)


def _accuracy(graph: Graph, data: Labelled) -> float:
    return float((golden.run_chunks(graph, data.images).labels == data.labels).mean())
