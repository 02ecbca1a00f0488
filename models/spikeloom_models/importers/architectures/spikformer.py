"""Spikformer, by the keys of its authors' code (variants with linear layers and convolutions).

Source: Zhou et al., "Spikformer: When Spiking Neural Network Meets Transformer", ICLR 2023.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from spikeloom.errors import InputError

from ...floating import (
    Add,
    Attention,
    Convolution,
    FloatLayer,
    FloatNetwork,
    FloatNeuron,
    Head,
    Linear,
    MaxPool,
    Norm,
)
from ..registry import Keys, Setting, architecture

UNUSED = ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias")
SETTINGS = (
    Setting("heads", None, "number of attention heads", whole=True),
    Setting("image", None, "height, width of an image in pixels, one number if square", whole=True),
    Setting("steps", 4, "time steps T", whole=True),
    Setting("pools", (0, 0, 1, 1), "1 where max pooling follows a stage of the stem", whole=True),
    Setting("scale", 0.125, "factor of the attention product"),
    Setting("tau", 2.0, "time constant of all neurons"),
    Setting("threshold", 1.0, "threshold of all neurons, except those of attention"),
    Setting("attention_threshold", 0.5, "threshold of the neurons behind attention"),
    Setting("mean", (0.0,), "mean of each channel of the images, as fractions of 255"),
    Setting("std", (1.0,), "standard deviation of each channel, likewise"),
)


@architecture("spikformer", "Spikformer (ZK-Zhou/spikformer)", *SETTINGS)
def build(keys: Keys, values: Mapping[str, Any]) -> FloatNetwork:
    """The network of a checkpoint."""
    keys.ignore(*UNUSED)
    builder = _Builder(keys, values)
    builder.stem()
    for number in range(keys.count("block.{}.")):
        builder.block(number)
    builder.head()
    return FloatNetwork("spikformer", values["steps"], builder.image, tuple(builder.layers))


class _Builder:
    """Collects the layers; `x` is the name of the residual stream, `dims` its channels."""

    def __init__(self, keys: Keys, values: Mapping[str, Any]):
        self.keys, self.values = keys, values
        self.layers: list[FloatLayer] = []
        self.neuron = FloatNeuron(values["threshold"], values["tau"])
        first = keys.take("patch_embed.proj_conv.weight", None, None, 3, 3)
        size = values["image"] if isinstance(values["image"], tuple) else (values["image"],) * 2
        if len(size) != 2 or min(size) < 1:
            raise InputError(f"--set image={','.join(map(str, size))}: give height,width")
        self.image = (*size, first.shape[1])
        self.x, self.dims, self.grid = "image", first.shape[1], size

    def add(self, layer: FloatLayer) -> str:
        """Add a layer; returns its name."""
        self.layers.append(layer)
        return layer.name

    def stem(self) -> None:
        """The four convolutions, and the one of positions."""
        pools = self.values["pools"]
        stages = 4
        if len(pools) != stages or not {*pools} <= {0, 1}:
            raise InputError(f"--set pools: give {stages} of 0 and 1, such as 0,0,1,1")
        for stage, pooled in enumerate(pools):
            number = str(stage) if stage else ""
            self._convolution(f"stem{stage}", f"patch_embed.proj_conv{number}", f"proj_bn{number}")
            if pooled:
                self.x = self.add(
                    MaxPool(name=f"stem{stage}.pool", inputs=(self.x,), grid=self.grid)
                )
                self.grid = ((self.grid[0] + 1) // 2, (self.grid[1] + 1) // 2)
        pooled = self.x
        self._convolution("position", "patch_embed.rpe_conv", "rpe_bn")
        self.x = self.add(Add(name="embed", inputs=(self.x, pooled)))

    def _convolution(self, name: str, key: str, norm: str) -> None:
        weight = self.keys.take(f"{key}.weight", None, self.dims, 3, 3)
        first: dict[str, Any] = {}
        if self.x == "image":
            first = {"steps": self.values["steps"]}
            first |= {kind: self._by_channel(kind) for kind in ("mean", "std")}
        layer = Convolution(
            name=name,
            inputs=(self.x,),
            grid=self.grid,
            weight=weight,
            bias=self._bias(key, len(weight)),
            norm=self._norm(f"patch_embed.{norm}", len(weight)),
            neuron=self.neuron,
            **first,
        )
        self.x, self.dims = self.add(layer), len(weight)

    def _by_channel(self, kind: str) -> torch.Tensor:
        """The setting `mean` or `std` for each channel of the image."""
        given = self.values[kind]
        given = given if isinstance(given, tuple) else (given,)
        if len(given) not in (1, self.dims):
            raise InputError(f"--set {kind}: {len(given)} values for {self.dims} channels")
        if kind == "std" and min(given) <= 0:
            raise InputError("--set std: a standard deviation must be above 0")
        return torch.tensor(given, dtype=torch.float32).expand(self.dims)

    def block(self, number: int) -> None:
        """Attention and MLP, each added to the stream."""
        x, name = self.x, f"block{number}"
        heads = self.values["heads"]
        if not heads or self.dims % heads:
            raise InputError(
                f"--set heads={heads}: {self.dims} channels are not a multiple of {heads} heads"
            )
        q, k, v = (self._linear(number, x, f"attn.{part}", self.dims) for part in "qkv")
        attention = Attention(
            name=f"{name}.attention",
            inputs=(q, k, v),
            heads=heads,
            scale=self.values["scale"],
            neuron=FloatNeuron(self.values["attention_threshold"], self.values["tau"]),
        )
        proj = self._linear(number, self.add(attention), "attn.proj", self.dims, self.dims)
        x1 = self.add(Add(name=f"{name}.x1", inputs=(x, proj)))
        fc1 = self._linear(number, x1, "mlp.fc1", self.dims)
        fc2 = self._linear(number, fc1, "mlp.fc2", None, self.dims)
        self.x = self.add(Add(name=f"{name}.x2", inputs=(x1, fc2)))

    def _linear(
        self, number: int, x: str, part: str, inputs: int | None, outputs: int | None = None
    ) -> str:
        """A linear layer of a block, which some variants store as a convolution of 1 x 1."""
        stem = f"block.{number}.{part}"
        kind = "conv" if f"{stem}_conv.weight" in self.keys else "linear"
        weight = self.keys.take(f"{stem}_{kind}.weight", outputs, inputs)
        layer = Linear(
            name=f"block{number}.{part.rpartition('.')[2]}",
            inputs=(x,),
            weight=weight,
            bias=self._bias(f"{stem}_{kind}", len(weight)),
            norm=self._norm(f"{stem}_bn", len(weight)),
            neuron=self.neuron,
        )
        return self.add(layer)

    def _bias(self, key: str, outputs: int) -> torch.Tensor | None:
        key = f"{key}.bias"
        return self.keys.take(key, outputs) if key in self.keys else None

    def _norm(self, key: str, outputs: int) -> Norm:
        names = ("weight", "bias", "running_mean", "running_var")
        return Norm(*(self.keys.take(f"{key}.{name}", outputs) for name in names))

    def head(self) -> None:
        """The classifier."""
        weight = self.keys.take("head.weight", None, self.dims)
        bias = self._bias("head", len(weight))
        self.add(Head(name="head", inputs=(self.x,), weight=weight, bias=bias))
