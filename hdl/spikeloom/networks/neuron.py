"""Spiking neurons in integers, and the range of their membranes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, echo
from .ranges import Range
from .signals import Spikes
from .values import fields_of, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("lif",)
RESETS = ("hard", "soft")
OPTIONAL = ("leak", "reset")
MAX_THRESHOLD = 2**23 - 1


@dataclass(frozen=True, kw_only=True)
class Neuron:
    """A leaky integrate-and-fire neuron (LIF) for each element of a layer.

        v[t] = (kept[t - 1] >> leak) + I[t]
        fired[t] = v[t] >= threshold
        kept[t] = v[t], or after a spike 0 (hard reset) or v[t] - threshold (soft reset)

    `leak` = 1 is a time constant of 2; `leak` = 0 is the integrate-and-fire neuron. The threshold
    is even where `leak` = 1, so that an accumulator may hold ``v - threshold`` exactly.
    """

    threshold: int
    leak: int = 1
    reset: str = "hard"
    kind: str = "lif"

    @classmethod
    def from_json(cls, entry: Any, where: str) -> Neuron:
        """The neuron of a layer's JSON entry. Raises `InputError` if it is invalid."""
        given = fields_of(entry, where, "neuron", required=("kind", "threshold"), optional=OPTIONAL)
        neuron = cls(**given)
        neuron.check(where)
        return neuron

    def to_json(self) -> dict[str, Any]:
        """The neuron as JSON."""
        return {"kind": self.kind} | asdict(self)

    def check(self, where: str) -> None:
        """Raise `InputError` naming layer `where` if a value is not allowed."""
        if self.kind not in KINDS:
            raise InputError(
                f"{where}: neuron kind {echo(self.kind)} does not exist; kinds: {', '.join(KINDS)}"
            )
        if self.reset not in RESETS:
            raise InputError(
                f"{where}: reset {echo(self.reset)} does not exist; resets: {', '.join(RESETS)}"
            )
        whole(self.leak, 0, 1, where, "leak")
        whole(self.threshold, 1, MAX_THRESHOLD, where, "threshold")
        if self.leak and self.threshold % 2:
            raise InputError(
                f"{where}: threshold {self.threshold} is odd; make it even, or set leak to 0"
            )

    def spikes(self, like: Spikes, dims: int | None = None) -> Spikes:
        """The output of neurons for the steps and places of a signal, of `dims` dims (default: as
        many)."""
        return Spikes(like.steps, like.tokens, dims or like.dims, grid=like.grid)

    def fire(self, current: NDArray, steps: int) -> NDArray:
        """Spikes (B, T, ...) of currents (B, T, ...), or (B, 1, ...) if they are the same in all
        `steps`."""
        batch, given, *rest = current.shape
        fired = np.empty((batch, steps, *rest), np.uint8)
        v = np.zeros((batch, *rest), current.dtype)
        for t in range(steps):
            if self.leak and t:
                v >>= self.leak
            v += current[:, t if given > 1 else 0]
            spikes = np.greater_equal(v, self.threshold)
            fired[:, t] = spikes
            if self.reset == "hard":
                v *= ~spikes
            else:
                v -= spikes * current.dtype.type(self.threshold)
        return fired

    def membrane(self, current: Range, steps: int) -> Range:
        """The range of v over all `steps`, for currents in a range."""
        v = seen = current
        for _ in range(1, steps):
            kept = [Range(0, 0)] if self.reset == "hard" and v.high >= self.threshold else []
            if self.reset == "soft" and v.high >= self.threshold:
                low = max(0, v.low - self.threshold)
                kept.append(Range(low, v.high - self.threshold))
            if v.low < self.threshold:
                kept.append(Range(v.low, min(v.high, self.threshold - 1)))
            low = min(one.low for one in kept) >> self.leak
            high = max(one.high for one in kept) >> self.leak
            v = Range(low + current.low, high + current.high)
            seen = seen.joined(v)
        return seen
