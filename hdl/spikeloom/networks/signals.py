"""What flows between layers: an image, spikes, or logits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    """An image of `height` x `width` pixels with `channels` values of `bits` bits each, the same in
    all of `steps` time steps."""

    steps: int
    height: int
    width: int
    channels: int
    bits: int

    def __str__(self) -> str:
        return "an image"


@dataclass(frozen=True)
class Spikes:
    """Integers ``0..high`` of `dims` neurons for each of `tokens` tokens in `steps` time steps.

    `high` is 1 for spikes, and more for sums of spikes.
    """

    steps: int
    tokens: int
    dims: int
    high: int = 1

    def __str__(self) -> str:
        return f"{self.tokens} tokens x {self.dims}"


@dataclass(frozen=True)
class Logits:
    """One integer per class."""

    classes: int

    def __str__(self) -> str:
        return "logits"


Signal = Image | Spikes | Logits
