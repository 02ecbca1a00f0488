"""Neurons in integers, and the range of their membranes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, echo
from .ranges import Bounds, Range
from .signals import MAX_STEPS, Currents, Spikes
from .values import fields_of, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPIKING = ("lif", "ternary", "relu", "phase")
KINDS = (*SPIKING, "none")
RESETS = ("hard", "soft")
OPTIONAL = {
    "lif": ("leak", "reset"),
    "ternary": ("leak", "reset"),
    "relu": ("bits",),
    "phase": ("shift", "signed", "steps"),
    "none": ("shift",),
}
MAX_THRESHOLD = 2**23 - 1
MAX_BITS = 8
MAX_SHIFT = 7  # of a phase code: its base is at least 1.008


@dataclass(frozen=True, kw_only=True)
class Neuron:
    """The neuron of each element of a layer, of one of these kinds.

    lif, leaky integrate-and-fire, and ternary, which also fires downwards::

        v[t] = (kept[t - 1] >> leak) + I[t]
        fired[t] = 1 if v[t] >= threshold, else 0               (ternary: -1 if v[t] <= -threshold)
        kept[t] = v[t], or after a spike 0 (hard reset) or v[t] - threshold fired[t] (soft reset)

    `leak` = 1 is a time constant of 2; `leak` = 0 is the integrate-and-fire neuron. The threshold
    is even where `leak` = 1, so that an accumulator may hold ``v - threshold`` exactly.

    relu, which keeps nothing, with values of `bits` bits::

        out[t] = min(max(floor(I[t] / threshold), 0), 2**bits - 1)

    A bias of half the threshold rounds to the nearest value.

    phase, for one-spike phase codes of base ``2**shift / (2**shift - 1)``. A neuron spikes once, at
    the first step t of ``|I| >= ceil(threshold base**-t)``: 1 where I is positive, else -1, or
    nothing if it is not `signed`. Where that step is not among the first `steps` ones, it is
    silent; 0 stands for all steps of the network.

    none, for no neuron: the output is the currents ``I >> shift``. Use `NO_NEURON`.
    """

    threshold: int
    leak: int = 1
    reset: str = "hard"
    kind: str = "lif"
    bits: int = 1
    shift: int = 0
    signed: bool = True
    steps: int = 0

    @classmethod
    def from_json(cls, entry: Any, where: str) -> Neuron:
        """The neuron of a layer's JSON entry. Raises `InputError` if it is invalid."""
        kind = entry.get("kind") if isinstance(entry, dict) else None
        known = OPTIONAL.get(kind) if isinstance(kind, str) else None
        optional = ("leak", "reset", "bits", "shift", "signed", "steps") if known is None else known
        required = ("kind",) if kind == "none" else ("kind", "threshold")
        given = fields_of(entry, where, "neuron", required=required, optional=optional)
        given.setdefault("threshold", 1)
        neuron = cls(**given)
        neuron.check(where)
        return neuron

    def to_json(self) -> dict[str, Any]:
        """The neuron as JSON."""
        if self.kind == "none":
            return {"kind": self.kind, **({"shift": self.shift} if self.shift else {})}
        names = ("kind", "threshold", *OPTIONAL[self.kind])
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if name != "steps" or value}

    def check(self, where: str) -> None:
        """Raise `InputError` naming layer `where` if a value is not allowed."""
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise InputError(
                f"{where}: neuron kind {echo(self.kind)} does not exist; kinds: {', '.join(KINDS)}"
            )
        if self.reset not in RESETS:
            raise InputError(
                f"{where}: reset {echo(self.reset)} does not exist; resets: {', '.join(RESETS)}"
            )
        whole(self.leak, 0, 1, where, "leak")
        whole(self.threshold, 1, MAX_THRESHOLD, where, "threshold")
        whole(self.bits, 1, MAX_BITS if self.kind == "relu" else 1, where, "bits of a neuron")
        if self.kind in ("phase", "none"):
            whole(self.shift, int(self.kind == "phase"), MAX_SHIFT, where, "shift of a neuron")
        whole(self.steps, 0, MAX_STEPS, where, "steps of a neuron")
        if not isinstance(self.signed, bool):
            raise InputError(f"{where}: signed is {echo(self.signed)}; give true or false")
        if self.kind in ("lif", "ternary") and self.leak and self.threshold % 2:
            raise InputError(
                f"{where}: threshold {self.threshold} is odd; make it even, or set leak to 0"
            )

    @property
    def low(self) -> int:
        """The smallest output."""
        return -1 if self.kind == "ternary" or (self.kind == "phase" and self.signed) else 0

    @property
    def high(self) -> int:
        """The largest output."""
        return 2**self.bits - 1

    def output(
        self,
        like: Spikes | Currents,
        current: Range,
        dims: int | None = None,
        *,
        constant: bool = False,
    ) -> Spikes | Currents:
        """The signal of neurons for the steps and places of a signal, of `dims` dims (default: as
        many), and for currents in a range, which are `constant` if they are the same in all
        steps."""
        dims, shape = dims or like.dims, (like.steps, like.tokens)
        if self.kind == "none":
            high, low = current.high >> self.shift, current.low >> self.shift
            return Currents(*shape, dims, high, low, grid=like.grid, constant=constant)
        code = {}
        if self.kind == "phase":
            silent_from = self.steps if self.steps < like.steps else 0
            code = {"shift": self.shift, "silent_from": silent_from}
        return Spikes(*shape, dims, self.high, self.low, grid=like.grid, **code)

    def thresholds(self, offsets: NDArray | None = None) -> NDArray:
        """The threshold of each output for `offsets` (out,), or (1,) without them."""
        added = np.zeros(1, np.int64) if offsets is None else np.asarray(offsets, np.int64)
        return self.threshold + added

    def fire(self, current: NDArray, steps: int, offsets: NDArray | None = None) -> NDArray:
        """The output (B, T, ...) for currents (B, T, ...), or (B, 1, ...) if they are the same in
        all `steps`; uint8, int8 if there are negative ones, or the currents, of as many steps as
        are given. `offsets` are added to the threshold, one for each of the last axis."""
        batch, given, *rest = current.shape
        if self.kind == "none":
            return current >> self.shift if self.shift else current
        if self.kind == "phase":
            return self._codes(current[:, 0], steps)
        if self.kind == "relu":
            values = np.clip(current // self.threshold, 0, self.high).astype(np.uint8)
            return np.repeat(values, steps, axis=1) if given < steps else values
        ternary = self.kind == "ternary"
        fired = np.empty((batch, steps, *rest), np.int8 if ternary else np.uint8)
        v = np.zeros((batch, *rest), current.dtype)
        threshold = self.thresholds(offsets).astype(current.dtype)
        for t in range(steps):
            if self.leak and t:
                v >>= self.leak
            v += current[:, t if given > 1 else 0]
            spikes = np.greater_equal(v, threshold)
            if ternary:
                spikes = spikes.astype(np.int8) - (v <= -threshold)
            fired[:, t] = spikes
            if self.reset == "hard":
                v *= spikes == 0
            else:
                v -= spikes * threshold
        return fired

    def _codes(self, current: NDArray, steps: int) -> NDArray:
        """Phase codes (B, T, ...) of currents (B, ...)."""
        levels = np.array(self.levels(steps), np.int64)
        step = len(levels) - np.searchsorted(levels[::-1], np.abs(current), side="right")
        sign = np.sign(current) if self.signed else current > 0
        at = np.arange(steps).reshape(1, -1, *[1] * (current.ndim - 1))
        spikes = step < len(levels)
        codes = (step[:, None] == at) * (sign * spikes)[:, None]
        return codes.astype(np.int8 if self.signed else np.uint8)

    def levels(self, steps: int) -> list[int]:
        """Of kind phase: the least magnitude that spikes at each step or before, for each of its
        steps, in a network of `steps`."""
        one, base = self.shift, (1 << self.shift) - 1
        own = min(self.steps or steps, steps)
        return [-(-(self.threshold * base**t) >> one * t) for t in range(own)]

    def bounds(self, current: Range, steps: int, offsets: NDArray | None = None) -> Bounds:
        """The worst case over all `steps`, for currents in a range."""
        ones = [replace(self, threshold=int(n)) for n in np.unique(self.thresholds(offsets))]
        membrane = _joined(one.membrane(current, steps) for one in ones)
        return Bounds(current, membrane, _joined(one.accumulator(current, steps) for one in ones))

    def membrane(self, current: Range, steps: int) -> Range:
        """The range of v over all `steps`, for currents in a range."""
        if self.kind in ("relu", "phase", "none"):
            return current
        v = seen = current
        for _ in range(1, steps):
            kept = self._kept(v)
            low = min(one.low for one in kept) >> self.leak
            high = max(one.high for one in kept) >> self.leak
            v = Range(low + current.low, high + current.high)
            seen = seen.joined(v)
        return seen

    def _kept(self, v: Range) -> list[Range]:
        """What is kept of membranes in a range: after spikes, and without."""
        threshold, kept = self.threshold, []
        up = v.high >= threshold
        down = self.kind == "ternary" and v.low <= -threshold
        if self.reset == "hard" and (up or down):
            kept.append(Range(0, 0))
        if self.reset == "soft" and up:
            kept.append(Range(max(0, v.low - threshold), v.high - threshold))
        if self.reset == "soft" and down:
            kept.append(Range(v.low + threshold, min(0, v.high + threshold)))
        low = max(v.low, 1 - threshold) if self.kind == "ternary" else v.low
        high = min(v.high, threshold - 1)
        if low <= high:
            kept.append(Range(low, high))
        return kept

    def accumulator(self, current: Range, steps: int) -> Range:
        """What an accumulator holds that keeps ``v - threshold``; of relu from ``v - threshold
        2**(bits - 1)`` to v, of ternary to ``v + threshold``, which decide as well."""
        if self.kind in ("phase", "none"):
            return current
        membrane = self.membrane(current, steps)
        kept = membrane.shifted(-self.threshold << (self.bits - 1))
        if self.kind == "lif":
            return kept
        return kept.joined(membrane.shifted(self.threshold if self.kind == "ternary" else 0))


def _joined(ranges: Iterable[Range]) -> Range:
    return reduce(Range.joined, ranges)


NO_NEURON = Neuron(kind="none", threshold=1)
