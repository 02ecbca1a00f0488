"""Tokens on a grid as images, and the windows of a convolution."""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional


def to_planes(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """Tokens ``[T, B, N, C]`` as images ``[T * B, C, height, width]``."""
    return x.flatten(0, 1).transpose(-1, -2).unflatten(-1, grid)


def to_tokens(planes: Tensor) -> Tensor:
    """Images ``[B, C, height, width]`` as tokens ``[B, N, C]``."""
    return planes.flatten(-2).transpose(-1, -2)


def windows_of(planes: Tensor, kernel: Sequence[int], stride: int | Sequence[int]) -> Tensor:
    """The windows ``[B, N, values]`` of images ``[B, C, height, width]``: row by row, channels
    together."""
    found = functional.unfold(planes, tuple(kernel), stride=stride)
    return found.unflatten(1, (planes.shape[1], -1)).permute(0, 3, 2, 1).flatten(2)
