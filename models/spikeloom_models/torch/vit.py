"""A vision transformer without spikes: the reference of the spiking ones, and what is converted."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from .layers import cut_patches
from .transformer import Positions, TransformerShape


class Normalised(nn.Module):
    """A linear layer and batch normalisation, of tokens ``[..., inputs]``."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.linear(x)
        return self.norm(y.flatten(0, -2)).reshape(y.shape)


class VisionBlock(nn.Module):
    """Softmax attention and MLP, each with a residual; batch normalisation and ReLU."""

    def __init__(self, shape: TransformerShape):
        super().__init__()
        d = shape.width
        self.heads = shape.heads
        self.qkv, self.proj = Normalised(d, 3 * d), Normalised(d, d)
        self.fc1, self.fc2 = Normalised(d, shape.hidden), Normalised(shape.hidden, d)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self._heads(x)
        x = x + self.proj(_joined(scaled_dot_product_attention(q, k, v)))
        return x + self.fc2(self.fc1(x).relu())

    def signals(self, x: torch.Tensor, name: str) -> dict[str, torch.Tensor]:
        """What passes between the layers for an input ``[B, N, D]``, by name."""
        q, k, v = self._heads(x)
        score = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        attended = score.softmax(-1) @ v
        x1 = x + self.proj(_joined(attended))
        hidden = self.fc1(x1).relu()
        out = {"x": x, "q": q, "k": k, "v": v, "score": score, "attention": attended}
        out |= {"x1": x1, "fc1": hidden, "out": x1 + self.fc2(hidden)}
        return {f"{name}.{key}": value for key, value in out.items()}

    def _heads(self, x):
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))
        return qkv.permute(2, 0, 3, 1, 4).unbind()


def _joined(x: torch.Tensor) -> torch.Tensor:
    """Heads ``[B, H, N, D]`` as ``[B, N, H * D]``."""
    return x.transpose(1, 2).flatten(-2)


class VisionTransformer(nn.Module):
    """A plain vision transformer of the sizes of a `SpikingTransformer`.

    ``forward`` takes images ``[B, Y, X, C]`` of uint8 and returns logits ``[B, classes]``; the
    head reads the mean of all tokens.

    Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, here with batch
    normalisation and ReLU.
    """

    def __init__(self, shape: TransformerShape | None = None):
        super().__init__()
        self.shape = shape = shape or TransformerShape()
        rows, columns = shape.patch
        self.positions = Positions(shape)
        self.embed = Normalised(rows * columns * shape.input_image[2], shape.width)
        self.blocks = nn.ModuleList(VisionBlock(shape) for _ in range(shape.blocks))
        self.head = nn.Linear(shape.width, shape.classes)

    steps = 1  # for the training, which shortens those of spiking networks

    def loss_scale(self) -> float:
        """What to multiply logits by for a loss."""
        return 1.0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.stream(images).mean(1))

    def signals(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """What passes between the layers, by name; the head reads ``head.x``."""
        found, x = {}, self._embedded(images)
        for number, block in enumerate(self.blocks):
            assert isinstance(block, VisionBlock)
            found |= block.signals(x, f"block{number}")
            x = found.pop(f"block{number}.out")
        return found | {"head.x": x}

    def stream(self, images: torch.Tensor) -> torch.Tensor:
        """What the head reads, ``[B, N, D]``."""
        x = self._embedded(images)
        for block in self.blocks:
            x = block(x)
        return x

    def _embedded(self, images):
        bits = self.shape.pixel_bits
        pixels = cut_patches(self.positions(images), self.shape.patch) >> (8 - bits)
        return self.embed(pixels.to(self.head.weight.dtype) / (2**bits - 1))
