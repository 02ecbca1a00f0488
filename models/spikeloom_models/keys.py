"""The keys of `spikeloom train --set`: sizes of the network, and the recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from spikeloom.configuration import Configuration, choice, integer, number

SIZES = ("width", "heads", "blocks", "hidden", "steps", "pixel_bits", "k_bits")
RECIPE = ("batch", "rate", "decay", "smoothing", "shift", "turn", "zoom", "cycles", "penalty")


@dataclass(frozen=True, kw_only=True)
class TrainingKeys(Configuration):
    """What may be chosen; None stands for the default of the architecture."""

    NAME: ClassVar[str] = "train"

    patch: int | None = integer("side of a patch in pixels", low=1, high=64, default=None)
    width: int | None = integer("dims D of a token", low=1, high=1024, default=None)
    heads: int | None = integer("heads of attention", low=1, high=64, default=None)
    blocks: int | None = integer("blocks of attention and MLP", low=1, high=24, default=None)
    hidden: int | None = integer("dims of the MLP", low=1, high=4096, default=None)
    steps: int | None = integer("time steps T", low=1, high=16, default=None)
    pixel_bits: int | None = integer("bits of a pixel that are used", low=1, high=8, default=None)
    weight_bits: str | None = choice("bits of a weight", choices=("4", "6", "8"), default=None)
    k_bits: int | None = integer("bits of k in form a2os2a", low=1, high=8, default=None)
    batch: int | None = integer("images of a step", low=1, high=65_536, default=None)
    rate: float | None = number("largest learning rate", low=0, low_open=True, high=1, default=None)
    decay: float | None = number("weight decay", low=0, high=1, default=None)
    smoothing: float | None = number("label smoothing", low=0, high=0.5, default=None)
    shift: int | None = integer("largest shift in pixels", low=0, high=16, default=None)
    turn: float | None = number("largest turn in degrees", low=0, high=180, default=None)
    zoom: float | None = number("largest change of the size", low=0, high=0.5, default=None)
    flip: str | None = choice("mirror half of the images", choices=("no", "yes"), default=None)
    cycles: float | None = number(
        "cycles of an image above which spikes are penalised", low=1, high=1e9, default=None
    )
    penalty: float | None = number(
        "loss for each `cycles` in excess", low=0, high=100, default=None
    )

    def shape(self) -> dict[str, Any]:
        """What is given of a network's sizes, as `TransformerShape` takes them."""
        found = self._given(SIZES)
        if self.patch is not None:
            found["patch"] = (self.patch, self.patch)
        if self.weight_bits is not None:
            found["weight_bits"] = int(self.weight_bits)
        return found

    def recipe(self) -> dict[str, Any]:
        """What is given of the recipe, as `Recipe` takes it."""
        flip = {} if self.flip is None else {"flip": self.flip == "yes"}
        return self._given(RECIPE) | flip

    def _given(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}
