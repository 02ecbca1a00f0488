"""A vision transformer without spikes: the reference of the spiking ones, and what is converted."""

# pyright: reportMissingImports=false

from __future__ import annotations

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
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()
        attended = scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2)
        x = x + self.proj(attended)
        return x + self.fc2(self.fc1(x).relu())


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

    def stream(self, images: torch.Tensor) -> torch.Tensor:
        """What the head reads, ``[B, N, D]``."""
        bits = self.shape.pixel_bits
        pixels = cut_patches(self.positions(images), self.shape.patch) >> (8 - bits)
        x = self.embed(pixels.to(self.head.weight.dtype) / (2**bits - 1))
        for block in self.blocks:
            x = block(x)
        return x
