"""The training recipe: one cycle of AdamW, the last epochs in the hardware's integers."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import safetensors.torch
import torch
from torch.nn.functional import cross_entropy

from spikeloom.errors import InputError
from spikeloom.outputs import check_file, output_file

from .data import Labelled
from .devices import AUTO, find_device
from .progress import TrainingProgress
from .torch import SpikingLinear, SpikingTransformer, TransformerShape, VisionTransformer

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEASURED = 20  # batches, from which the normalisation is folded
LOCAL = ("threads", "compiled", "device")  # what may change where a training goes on


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Parameters
    ----------
    epochs : int
        Passes over the training images, all phases together.
    short_epochs : int
        The first ones, with half the time steps, in half the time (-1: 65 %).
    integer_epochs : int
        The last ones, quantised (-1: 20 %); with 0, the network is quantised at the end.
    batch : int
        Images of a step.
    rate : float
        Largest learning rate; it rises over the first tenth and falls as a cosine.
    decay : float
        Weight decay, until the network is quantised.
    smoothing : float
        Label smoothing.
    shift : int
        Largest random shift of an image, in pixels, each way.
    turn, zoom : float
        Largest random turn of an image, in degrees, and change of its size, as a share of it.
    flip : bool
        Whether half of the images are mirrored left to right.
    cycles : float
        Cycles of an image, without the patch embedding, above which spikes are penalised.
    penalty : float
        Loss for each `cycles` in excess, in the last half of the training; it grows from 0 during
        the quarter before: a network that is punished while it knows nothing falls silent.
    seed : int
        Seed of the weights, the order and the augmentation.
    threads : int
        Threads of PyTorch; 0 leaves the choice to it.
    compiled : bool
        Whether to use ``torch.compile``: some minutes, then twice as fast.
    device : str
        A device of PyTorch, such as cpu or cuda, or auto for a GPU where there is one. All that is
        random is drawn on the CPU, except the spikes of stochastic attention.
    """

    epochs: int = 20
    short_epochs: int = -1
    integer_epochs: int = -1
    batch: int = 128
    rate: float = 3e-3
    decay: float = 0.01
    smoothing: float = 0.05
    shift: int = 1
    turn: float = 0.0
    zoom: float = 0.0
    flip: bool = False
    cycles: float = 280_000
    penalty: float = 1.0
    seed: int = 1
    threads: int = 0
    compiled: bool = True
    device: str = AUTO

    def __post_init__(self):
        if self.epochs < 1:
            raise InputError(f"{self.epochs} epochs: give 1 or more")
        for field, share in (("short_epochs", 0.65), ("integer_epochs", 0.2)):
            if getattr(self, field) < 0:
                object.__setattr__(self, field, max(1, round(self.epochs * share)))
        if self.integer_epochs > self.epochs:
            raise InputError(
                f"{self.integer_epochs} of {self.epochs} epochs in integers: give at most all"
            )

    def penalty_at(self, progress: float) -> float:
        """Loss for each `cycles` in excess after a share `progress` of the training."""
        return self.penalty * min(max(4 * progress - 1, 0), 1)

    def learning_rate(self, progress: float) -> float:
        """Learning rate after a share `progress` of the training."""
        rise = 0.1
        if progress < rise:
            return self.rate * (0.04 + 0.96 * progress / rise)
        falling = (1 + math.cos(math.pi * (progress - rise) / (1 - rise))) / 2
        return self.rate * (0.01 + 0.99 * falling)


Model = TypeVar("Model", SpikingTransformer, VisionTransformer)


def train(
    shape: TransformerShape,
    data: Labelled,
    recipe: Recipe,
    checkpoint: str | PathLike[str] | None = None,
    report: Callable[[TrainingProgress], None] = lambda _: None,
    after_epoch: Callable[[int, Model], None] = lambda *_: None,
    kind: type[Model] = SpikingTransformer,
) -> Model:
    """A network of `kind` trained on `data`; a `SpikingTransformer` is quantised then.

    `checkpoint` is written after each epoch; if it exists, training goes on from there, and ends
    with the same weights as without the interruption.
    """
    given = data.images.shape[1:]
    if given != shape.image:
        raise InputError(f"images of {given} do not fit a network for {shape.image}")
    if len(data) < recipe.batch:
        raise InputError(f"{len(data):,} images are less than a batch of {recipe.batch:,}")
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    training = _Training(kind, shape, data, recipe)
    if checkpoint is not None:
        check_file(checkpoint, "--checkpoint")
        training.resume(Path(checkpoint))
    for epoch in range(training.done, recipe.epochs):
        training.epoch(epoch, report)
        if checkpoint is not None:
            training.save(Path(checkpoint))
        after_epoch(epoch, training.model)
    training.quantise()
    return training.model.eval().cpu()


class _Training(Generic[Model]):
    """A network, its optimiser and its data; `done` counts finished epochs."""

    def __init__(self, kind: type[Model], shape: TransformerShape, data: Labelled, recipe: Recipe):
        torch.manual_seed(recipe.seed)
        self.shape, self.recipe, self.done = shape, recipe, 0
        device = self.device = find_device(recipe.device)
        self.images = torch.from_numpy(data.images.copy()).to(device)
        self.labels = torch.from_numpy(data.labels.copy()).to(device)
        self.model = kind(shape).to(device)
        self.optimiser = self._optimiser(recipe.decay)
        self.step = torch.compile(self._step) if recipe.compiled else self._step

    def _optimiser(self, decay):
        return torch.optim.AdamW(
            self.model.parameters(),
            lr=self.recipe.rate,
            weight_decay=decay,
            fused=self.device.type == "cuda",
        )

    def _step(self, images):
        """Logits, and the cycles of an image (0 without spikes)."""
        if isinstance(self.model, VisionTransformer):
            return self.model(images), torch.zeros((), device=images.device)
        logits, spikes = self.model.with_spikes(images)
        events = {name: _events(s) for name, s in spikes.items()}
        return logits, cycles(self.shape, events, self.model.steps)

    def epoch(self, epoch: int, report: Callable[[TrainingProgress], None]) -> None:
        """Train for one pass over the images."""
        recipe = self.recipe
        first_integer = recipe.epochs - recipe.integer_epochs
        if epoch == first_integer:
            self.quantise()
            self.optimiser = self._optimiser(0.0)
        short = epoch < min(recipe.short_epochs, first_integer)
        self.model.steps = max(1, self.shape.steps // 2) if short else self.shape.steps
        self.model.train()
        random = torch.Generator().manual_seed(recipe.seed * 100_003 + epoch)
        order = torch.randperm(len(self.labels), generator=random).to(self.device)
        steps = len(order) // recipe.batch
        begin = time.monotonic()
        for step in range(steps):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
            self._set_progress((epoch + step / steps) / recipe.epochs)
            loss, *measured = self._learn(
                augment(self.images[chosen], recipe, random), self.labels[chosen]
            )
            share = (step + 1) / steps
            left = (time.monotonic() - begin) / share * (recipe.epochs - epoch - share)
            report(TrainingProgress(epoch, step, steps, loss, left, *measured))
        self.model.steps = self.shape.steps
        self.done = epoch + 1

    @torch.no_grad()
    def quantise(self) -> None:
        """Turn a spiking network into integers, unless it is; the statistics of all normalisations
        become averages over some batches, in all steps."""
        if not isinstance(self.model, SpikingTransformer) or self.model.is_integer:
            return
        self.model.train()
        self.model.steps = self.shape.steps
        layers = [layer for layer in self.model.modules() if isinstance(layer, SpikingLinear)]
        batches = self.images.split(self.recipe.batch)[:MEASURED]
        for number, images in enumerate(batches, 1):
            for layer in layers:
                layer.momentum = 1 / number
            self.model(images)
        self.model.quantise()

    def _set_progress(self, progress):
        self.penalty = self.recipe.penalty_at(progress)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate(progress)

    def _learn(self, images, labels):
        """One step; returns loss, share of images that were right, cycles of an image."""
        logits, cost = self.step(images)
        scaled = logits * self.model.loss_scale()
        loss = cross_entropy(scaled, labels, label_smoothing=self.recipe.smoothing)
        allowed = self.recipe.cycles * self.model.steps / self.shape.steps
        total = loss + self.penalty * (cost / allowed - 1).clamp(min=0)
        self.optimiser.zero_grad()
        total.backward()
        self.optimiser.step()
        right = (logits.argmax(1) == labels).float().mean()
        return torch.stack([loss, right, cost]).tolist()

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        state = {
            "recipe": asdict(self.recipe),
            "shape": asdict(self.shape),
            "done": self.done,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        with output_file(path) as file:
            torch.save(state, file)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if it exists."""
        if not path.exists():
            return
        state = read_checkpoint(path)
        ours = {"recipe": asdict(self.recipe), "shape": asdict(self.shape)}
        for kind, values in ours.items():
            for key, value in values.items():
                if key not in LOCAL and state[kind].get(key) != value:
                    raise InputError(
                        f"{path} was trained with {key} = {state[kind].get(key)}, not {value}; "
                        "use the same options, or another --checkpoint"
                    )
        self.done = state["done"]
        integer = self.done > self.recipe.epochs - self.recipe.integer_epochs
        self.optimiser = self._optimiser(0.0 if integer else self.recipe.decay)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])


def classes_of(model: VisionTransformer, images: NDArray) -> NDArray:
    """The classes that a network gives to images."""
    batches = torch.from_numpy(images.copy()).split(256)
    with torch.no_grad():
        return torch.cat([model.eval()(batch).argmax(1) for batch in batches]).numpy()


def save_weights(path: str | PathLike[str], model: VisionTransformer) -> None:
    """Write the weights of a network in floating point, for `spikeloom import`."""
    tensors = {key: value.contiguous() for key, value in model.state_dict().items()}
    with output_file(path) as file:
        safetensors.torch.save_file(tensors, file)


def read_checkpoint(path: str | PathLike[str]) -> dict[str, Any]:
    """The content of a checkpoint of `train`."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        state = None
    keys = {"recipe", "shape", "done", "model", "optimiser"}
    if not isinstance(state, dict) or not keys <= state.keys():
        raise InputError(f"{path} is not a checkpoint of `spikeloom train`; name another file")
    return state


def augment(images: torch.Tensor, recipe: Recipe, random: torch.Generator) -> torch.Tensor:
    """Shift, mirror, turn and zoom each image at random; what enters is black."""
    n, height, width, _ = images.shape
    reach, device = recipe.shift, images.device
    dy, dx = torch.randint(0, 2 * reach + 1, (2, n, 1, 1), generator=random).to(device)
    mirror = torch.randint(0, 2, (n, 1, 1), generator=random).bool().to(device) & recipe.flip
    y = torch.arange(height, device=device).view(1, -1, 1) + dy
    x = torch.arange(width, device=device).view(1, 1, -1)
    x = torch.where(mirror, width - 1 - x, x) + dx
    padded = torch.nn.functional.pad(images, (0, 0, *(reach,) * 4))
    moved = padded[torch.arange(n, device=device).view(-1, 1, 1), y, x]
    return _turned(moved, recipe, random) if recipe.turn or recipe.zoom else moved


def _turned(images: torch.Tensor, recipe: Recipe, random: torch.Generator) -> torch.Tensor:
    """Images turned about their centre and zoomed, both at random."""
    angle, zoom = (2 * torch.rand(2, len(images), generator=random) - 1).to(images.device)
    angle, size = angle * math.radians(recipe.turn), 1 / (1 + zoom * recipe.zoom)
    cos, sin, zero = size * angle.cos(), size * angle.sin(), torch.zeros_like(angle)
    maps = torch.stack([cos, -sin, zero, sin, cos, zero], 1).reshape(-1, 2, 3)
    planes = images.permute(0, 3, 1, 2).float()
    places = torch.nn.functional.affine_grid(maps, list(planes.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(planes, places, align_corners=False)
    return moved.round().to(images.dtype).permute(0, 2, 3, 1)


def _events(spikes: torch.Tensor) -> torch.Tensor:
    """The mean number of values that are not 0, summed over steps. The gradient of a value is that
    of its magnitude (`clamp` may have none at its ends)."""
    magnitude = spikes.abs()
    return (magnitude / magnitude.detach().clamp(min=1)).mean((1, 2, 3)).sum()


def cycles(shape: TransformerShape, events: dict[str, Any], steps: int, lanes: int = 8) -> Any:
    """Estimated cycles of an image: `events` is the mean over tokens and channels of the spikes of
    each layer, summed over `steps`. Of values that are not 0, half of the bits are ones."""
    d, slots = shape.width, shape.tokens * steps
    learnt = {"spikformer": 1.0, "a2os2a": shape.k_bits / 2}.get(shape.form, 0.0)

    def layer(name, inputs, outputs):
        return outputs / lanes * (events[name] * shape.tokens * inputs + slots)

    total, x = 0.0, "embed"
    for i in range(shape.blocks):
        b = f"block{i}"
        total += 3 * layer(x, d, d) + layer(f"{b}.attention", d, d)
        if learnt:
            total += learnt * layer(f"{b}.k", d, d // shape.heads)
            total += layer(f"{b}.q", d, d // shape.heads)
        total += layer(f"{b}.x1", d, shape.hidden) + layer(f"{b}.fc1", shape.hidden, d)
        x = f"{b}.x2"
    return total + layer(x, d, shape.classes)
