"""What importers of convolutional stems and transformer blocks share."""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from spikeloom.errors import InputError, echo
from spikeloom.networks.layers.patch_embedding import MAX_SIDE
from spikeloom.networks.signals import MAX_STEPS

from ..floating import Convolution, FloatLayer, FloatNeuron, Head, Linear, MaxPool, Norm
from .registry import Keys, Setting

STAGES = 4  # of a stem

COMMON = (
    Setting("heads", None, "number of attention heads", whole=True),
    Setting(
        "image",
        None,
        "height, width of an image in pixels, one number if square",
        whole=True,
        most=MAX_SIDE,
        several=True,
    ),
    Setting("steps", 4, "time steps T", whole=True, most=MAX_STEPS),
    Setting(
        "pools",
        (0, 0, 1, 1),
        "1 where max pooling follows a stage of the stem",
        whole=True,
        zero=True,
        most=1,
    ),
    Setting("tau", 2.0, "time constant of all neurons", infinite=True),
    Setting("threshold", 1.0, "threshold of all neurons, except those of attention"),
    Setting("attention_threshold", 0.5, "threshold of the neurons of attention"),
    Setting("mean", (0.0,), "mean of each channel of the images, as fractions of 255", zero=True),
    Setting("std", (1.0,), "standard deviation of each channel, likewise"),
)


class Builder:
    """Collects layers from the tensors of a checkpoint.

    Members
    -------
    image : height, width and channels.
    layers : the layers so far; x, dims, grid: the name of the last one, its channels and places.
    widths : outputs of linear layers by name; all others have `dims`.
    neuron, attention_neuron : the neurons of the settings.
    """

    def __init__(self, keys: Keys, values: Mapping[str, Any], stem: str):
        """`stem` is the key of the first convolution's weights."""
        self.keys, self.values = keys, values
        self.layers: list[FloatLayer] = []
        self.widths: dict[str, int] = {}
        self.neuron = FloatNeuron(values["threshold"], values["tau"])
        self.attention_neuron = FloatNeuron(values["attention_threshold"], values["tau"])
        first, size = keys.take(stem, None, None, 3, 3), image_size(values)
        self.image = (*size, first.shape[1])
        self.x, self.dims, self.grid = "image", first.shape[1], size

    def add(self, layer: FloatLayer) -> str:
        """Add a layer; returns its name."""
        self.layers.append(layer)
        return layer.name

    @property
    def pools(self) -> tuple[int, ...]:
        """Whether max pooling follows each stage of the stem."""
        pools = self.values["pools"]
        if len(pools) != STAGES:
            raise InputError(f"--set pools: give {STAGES} of 0 and 1, such as 0,0,1,1")
        return pools

    def heads(self) -> int:
        """The number of heads, which divides the channels."""
        heads = self.values["heads"]
        if self.dims % heads:
            raise InputError(
                f"--set heads={echo(heads)}: {self.dims} channels are no multiple of so many heads"
            )
        return heads

    def convolution(
        self,
        name: str,
        key: str,
        norm: str,
        neuron: FloatNeuron | None,
        outputs: int | None = None,
    ) -> None:
        """A convolution of 3 x 3 of `x`, with normalisation; it becomes `x`."""
        weight = self.keys.take(f"{key}.weight", outputs, self.dims, 3, 3)
        first: dict[str, Any] = {}
        if self.x == "image":
            first = normalisation(self.values, self.dims)
        layer = Convolution(
            name=name,
            inputs=(self.x,),
            grid=self.grid,
            weight=weight,
            bias=self.bias(key, len(weight)),
            norm=self.norm(norm, len(weight)),
            neuron=neuron,
            **first,
        )
        self.x, self.dims = self.add(layer), len(weight)

    def pool(self, name: str) -> None:
        """Max pooling of 3 x 3 with stride 2 of `x`; it becomes `x`."""
        self.x = self.add(MaxPool(name=name, inputs=(self.x,), grid=self.grid))
        self.grid = ((self.grid[0] + 1) // 2, (self.grid[1] + 1) // 2)

    def linear(
        self,
        name: str,
        x: str,
        key: str,
        neuron: FloatNeuron | None,
        outputs: int | None = None,
    ) -> str:
        """A linear layer of `x` with normalisation, which some variants store as a convolution of
        1 x 1: `key` is without ``_linear``, ``_conv`` and ``_bn``. Returns its name."""
        kind = self._kind(key)
        return self.dense(name, x, f"{key}_{kind}", f"{key}_bn", neuron, outputs)

    def dense(
        self,
        name: str,
        x: str,
        key: str,
        norm: str,
        neuron: FloatNeuron | None,
        outputs: int | None = None,
    ) -> str:
        """As `linear`, by the keys of the layer and of its normalisation."""
        weight = self.keys.take(f"{key}.weight", outputs, self.widths.get(x, self.dims))
        self.widths[name] = len(weight)
        layer = Linear(
            name=name,
            inputs=(x,),
            weight=weight,
            bias=self.bias(key, len(weight)),
            norm=self.norm(norm, len(weight)),
            neuron=neuron,
        )
        return self.add(layer)

    def outputs(self, key: str) -> int:
        """Outputs of a linear layer that is not built yet."""
        return len(self.keys.take(f"{key}_{self._kind(key)}.weight", None, None))

    def _kind(self, key: str) -> str:
        return "conv" if f"{key}_conv.weight" in self.keys else "linear"

    def head(self, tokens: int = 0) -> str:
        """The classifier of `x`; `tokens` as for `Head`."""
        weight = self.keys.take("head.weight", None, self.dims)
        bias = self.bias("head", len(weight))
        head = Head(name="head", inputs=(self.x,), weight=weight, bias=bias, tokens=tokens)
        return self.add(head)

    def bias(self, key: str, outputs: int) -> torch.Tensor | None:
        """The bias of a layer, if it has one."""
        key = f"{key}.bias"
        return self.keys.take(key, outputs) if key in self.keys else None

    def norm(self, key: str, outputs: int) -> Norm:
        """A batch normalisation."""
        names = ("weight", "bias", "running_mean", "running_var")
        weight, bias, mean, variance = (self.keys.take(f"{key}.{name}", outputs) for name in names)
        if bool((variance < 0).any()):
            raise InputError(f"{key}.running_var has values below 0; no variance has")
        return Norm(weight, bias, mean, variance)


def image_size(values: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width of the setting `image`."""
    size = values["image"] if isinstance(values["image"], tuple) else (values["image"],) * 2
    if len(size) != 2:
        raise InputError(f"--set image={','.join(map(str, size))}: give height,width")
    return size


def normalisation(values: Mapping[str, Any], channels: int) -> dict[str, Any]:
    """Fields of a layer that reads the image: its `steps`, `mean` and `std` of each channel."""
    found: dict[str, Any] = {"steps": values["steps"]}
    for kind in ("mean", "std"):
        given = values[kind]
        if len(given) not in (1, channels):
            raise InputError(f"--set {kind}: {len(given)} values for {channels} channels")
        found[kind] = torch.tensor(given, dtype=torch.float32).expand(channels)
    return found
