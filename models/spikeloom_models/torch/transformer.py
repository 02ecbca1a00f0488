"""Spiking transformers: patch embedding, blocks of attention and MLP, classifier."""

# pyright: reportMissingImports=false

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from spikeloom.errors import InputError, unknown
from spikeloom.networks.position import position_channel

from .attention import (
    A2OS2AAttention,
    SpikeDrivenAttention,
    SpikformerAttention,
    SpikingAttention,
    StochasticAttention,
)
from .layers import Classifier, Iand, PatchEmbedding, SpikingLinear
from .neuron import LIF, ReLU, Ternary

FORMS: dict[str, type[SpikingAttention] | type[StochasticAttention]] = {
    one.FORM: one
    for one in (SpikformerAttention, A2OS2AAttention, SpikeDrivenAttention, StochasticAttention)
}


@dataclass(frozen=True)
class TransformerShape:
    """Sizes of a `SpikingTransformer`, and the `form` of its attention (`FORMS`); the default is
    the flagship. Values k of form a2os2a have `k_bits` bits. Raises `InputError`.

    With `position`, the network reads one more channel than `image` has, which tells it where each
    patch is (`spikeloom.networks.position`); a sum over tokens alone does not know.
    """

    form: str = "spikformer"
    image: tuple[int, int, int] = (28, 28, 1)
    patch: tuple[int, int] = (4, 4)
    width: int = 64
    blocks: int = 2
    heads: int = 2
    hidden: int = 128
    steps: int = 4
    classes: int = 10
    pixel_bits: int = 6
    weight_bits: int = 8
    position: bool = True
    k_bits: int = 3

    def __post_init__(self):
        if self.form not in FORMS:
            raise unknown("form", self.form, FORMS)
        if self.width % self.heads:
            raise InputError(
                f"{self.heads} heads do not divide a width of {self.width}; choose a divisor"
            )
        if any(side % part for side, part in zip(self.image, self.patch, strict=False)):
            raise InputError(
                f"an image of {self.image[0]} x {self.image[1]} has no patches of {self.patch[0]} "
                f"x {self.patch[1]}; choose divisors"
            )
        if self.position:
            position_channel(self.image[:2], self.patch)  # whether there is room for it

    @property
    def input_image(self) -> tuple[int, int, int]:
        """Image of the hardware, with the channel of positions."""
        height, width, channels = self.image
        return height, width, channels + self.position

    @property
    def tokens(self) -> int:
        """Patches of an image."""
        return self.image[0] // self.patch[0] * (self.image[1] // self.patch[1])


class Block(nn.Module):
    """Block number `number`: attention and its projection, then the MLP, each with an IAND
    residual."""

    def __init__(self, shape: TransformerShape, number: int):
        super().__init__()
        d, bits = shape.width, shape.weight_bits
        self.heads = shape.heads
        neurons = [LIF(), ReLU(shape.k_bits), Ternary()] if shape.form == "a2os2a" else []
        self.qkv = SpikingLinear(d, 3 * d, parts=3, bits=bits, neurons=neurons)
        if shape.form == StochasticAttention.FORM:
            self.attention = StochasticAttention(seed=number + 1)
        else:
            self.attention = FORMS[shape.form]()
        self.proj = SpikingLinear(d, d, bits=bits)
        self.fc1 = SpikingLinear(d, shape.hidden, bits=bits)
        self.fc2 = SpikingLinear(shape.hidden, d, bits=bits)
        self.residual = Iand()

    def forward(self, x: torch.Tensor, spikes: dict[str, torch.Tensor], name: str) -> torch.Tensor:
        """Output of the block; adds the spikes of its layers to `spikes` under `name`."""
        steps, batch, tokens, d = x.shape
        qkv = self.qkv(x)
        split = qkv.reshape(steps, batch, tokens, 3, self.heads, d // self.heads)
        q, k, v = split.permute(3, 0, 1, 4, 2, 5).unbind()
        attended = self.attention(q, k, v).transpose(2, 3).reshape(x.shape)
        projected = self.proj(attended)
        x1 = self.residual(x, projected)
        hidden = self.fc1(x1)
        out = self.fc2(hidden)
        x2 = self.residual(x1, out)
        spikes |= dict(zip((f"{name}.q", f"{name}.k", f"{name}.v"), qkv.chunk(3, -1), strict=True))
        spikes |= {f"{name}.attention": attended, f"{name}.proj": projected, f"{name}.x1": x1}
        spikes |= {f"{name}.fc1": hidden, f"{name}.fc2": out, f"{name}.x2": x2}
        return x2


class Positions(nn.Module):
    """Adds the channel of positions to images ``[B, Y, X, C]``, if the network has one."""

    channel: torch.Tensor

    def __init__(self, shape: TransformerShape):
        super().__init__()
        self.position = shape.position
        channel = position_channel(shape.image[:2], shape.patch) if shape.position else np.empty(0)
        self.register_buffer("channel", torch.from_numpy(channel)[..., None], persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if not self.position:
            return images
        return torch.cat([images, self.channel.expand(len(images), -1, -1, -1)], -1)


class SpikingTransformer(nn.Module):
    """A spiking transformer with IAND residuals.

    ``forward`` takes images ``[B, Y, X, C]`` of uint8 and returns logits ``[B, classes]``.
    """

    def __init__(self, shape: TransformerShape | None = None):
        super().__init__()
        self.shape = shape = shape or TransformerShape()
        self.embed = PatchEmbedding(
            shape.input_image,
            shape.patch,
            shape.width,
            steps=shape.steps,
            pixel_bits=shape.pixel_bits,
            bits=shape.weight_bits,
        )
        self.positions = Positions(shape)
        self.blocks = nn.ModuleList(Block(shape, number) for number in range(shape.blocks))
        self.head = Classifier(shape.width, shape.classes, bits=shape.weight_bits)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.with_spikes(images)[0]

    def with_spikes(self, images: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Logits, and the spikes ``[T, B, N, channels]`` of every layer by name."""
        x = self.embed(self.positions(images))
        spikes = {"embed": x}
        for i, block in enumerate(self.blocks):
            x = block(x, spikes, f"block{i}")
        return self.head(x), spikes

    @property
    def steps(self) -> int:
        """Time steps; training may change them."""
        return self.embed.steps

    @steps.setter
    def steps(self, value: int) -> None:
        self.embed.steps = value

    @property
    def is_integer(self) -> bool:
        """Whether the network is quantised."""
        return bool(self.head.integer)

    def loss_scale(self) -> float:
        """What to multiply logits by for a loss."""
        return self.head.loss_scale(self.steps * self.shape.tokens)

    def quantise(self) -> None:
        """Turn the network into integers; see `spikeloom_models.torch`."""
        for module in self.modules():
            if isinstance(module, (SpikingLinear, SpikingAttention)):
                module.quantise()
        self.head.quantise(self.shape.steps * self.shape.tokens)

    def unrounded(self) -> SpikingTransformer:
        """A copy of a quantised network that computes in floating point: its own reference."""
        twin = deepcopy(self).eval()
        for module in twin.modules():
            if isinstance(module, (SpikingLinear, SpikingAttention, Classifier)):
                module.unround()
        return twin
