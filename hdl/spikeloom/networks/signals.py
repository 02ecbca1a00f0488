"""What flows between layers: an image, spikes, currents, or logits."""

from __future__ import annotations

from dataclasses import dataclass

MAX_STEPS = 64


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
    """Integers ``low..high`` of `dims` neurons for each of `tokens` tokens in `steps` time steps.

    They are 0 and 1 for spikes; `high` is more for sums of spikes. Tokens are the places of a
    `grid` of rows and columns, row by row. With a `shift` of k they are a phase code: at most one
    spike for each neuron, worth ``base**-t`` at step t, where ``base = 2**k / (2**k - 1)``; from
    step `silent_from` on there is none, if that is not 0.
    """

    steps: int
    tokens: int
    dims: int
    high: int = 1
    low: int = 0
    grid: tuple[int, int] | None = None
    shift: int = 0
    silent_from: int = 0

    @property
    def spiking_steps(self) -> int:
        """Steps in which there may be spikes, the first ones."""
        return self.silent_from or self.steps

    def __str__(self) -> str:
        return f"{self.tokens} tokens x {self.dims}"


@dataclass(frozen=True)
class Currents:
    """Integers ``low..high``, of either sign, of `dims` elements for each of `tokens` tokens in
    `steps` time steps: sums without neurons. `grid` as for `Spikes`. Arrays of `constant` currents,
    the same in all steps, hold one step."""

    steps: int
    tokens: int
    dims: int
    high: int
    low: int
    grid: tuple[int, int] | None = None
    constant: bool = False

    def __str__(self) -> str:
        return f"currents of {self.tokens} tokens x {self.dims}"


@dataclass(frozen=True)
class Logits:
    """One integer per class."""

    classes: int

    def __str__(self) -> str:
        return "logits"


Signal = Image | Spikes | Currents | Logits
