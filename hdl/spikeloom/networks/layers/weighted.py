"""Layers with a weight matrix and a bias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..exact import column_sums
from ..neuron import MAX_THRESHOLD, Neuron
from ..ranges import Range
from ..values import integers, weight_matrix, weight_type
from .layer import MAX_DIMS, Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighted(Layer):
    """A layer of sums ``I[o] = sum over i of x[i] weight[i, o] + bias[o]``.

    Fields
    ------
    weight : int8 (in, out), values of `weight_bits` bits; int16 if these are more than 8.
    bias : int32 (out,), in units of the membrane.
    """

    TENSORS: ClassVar[dict[str, str]] = {"weight": "int8", "bias": "int32"}

    weight: NDArray
    bias: NDArray
    weight_bits: int = 8

    def check(self) -> None:
        weight = weight_matrix(self.weight, self.weight_bits, self.where)
        bias = integers(self.bias, 1, np.int32, self.where, "bias")
        if bias.shape != weight.shape[1:]:
            raise self.error(
                f"bias has {bias.size} values and weight {weight.shape[1]} outputs; make them equal"
            )
        if weight.shape[1] > MAX_DIMS:
            raise self.error(f"has {weight.shape[1]} outputs; the most are {MAX_DIMS}")
        self.set(weight=weight, bias=bias)

    @classmethod
    def tensor_type(cls, field: str, entry: Mapping[str, Any]) -> str:
        if field == "weight":
            return np.dtype(weight_type(entry.get("weight_bits"))).name
        return super().tensor_type(field, entry)

    @property
    def outputs(self) -> int:
        """Outputs of the matrix."""
        return self.weight.shape[1]

    def need_rows(self, rows: int, what: str) -> None:
        """Raise `InputError` unless the matrix has a row for each of `rows` inputs."""
        if self.weight.shape[0] != rows:
            raise self.error(
                f"weight has {self.weight.shape[0]} rows and {what} {rows} values; make them equal"
            )

    def sums(self, high: int, low: int = 0, unit: int = 1) -> Range:
        """The range of all partial sums without bias, times `unit`, for inputs ``low..high``."""
        low_sums, high_sums = (sums * unit for sums in column_sums(self.weight, high, low))
        return Range(int(low_sums.min()), int(high_sums.max()))

    def current(self, high: int, low: int = 0, unit: int = 1) -> Range:
        """The range of all partial sums, times `unit`, to which the bias was added first."""
        low_sums, high_sums = (sums * unit for sums in column_sums(self.weight, high, low))
        bias = self.bias.astype(np.int64)
        return Range(int((low_sums + bias).min()), int((high_sums + bias).max()))


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedNeurons(Weighted):
    """A layer of sums with neurons, which may have thresholds of their own.

    Fields
    ------
    threshold_offsets : int32 (out,), of neurons of kind lif: output o fires at the threshold of the
        neuron plus ``threshold_offsets[o]``. Without it, all thresholds are equal.
    """

    TENSORS: ClassVar[dict[str, str]] = {**Weighted.TENSORS, "threshold_offsets": "int32"}

    threshold_offsets: NDArray | None = None

    def check_neurons(self, neuron: Neuron) -> None:
        """Raise `InputError` unless `neuron` and the offsets give valid thresholds."""
        self.need_neuron(neuron)
        if self.threshold_offsets is None:
            return
        offsets = integers(self.threshold_offsets, 1, np.int32, self.where, "threshold_offsets")
        if neuron.kind != "lif":
            raise self.error(
                f"neuron kind is {neuron.kind}; threshold_offsets are for lif, remove them"
            )
        if len(offsets) != self.outputs:
            raise self.error(
                f"threshold_offsets has {offsets.size} values and weight {self.outputs} outputs; "
                "make them equal"
            )
        thresholds = neuron.thresholds(offsets)
        wrong = (thresholds < 1) | (thresholds > MAX_THRESHOLD)
        if neuron.leak:
            wrong |= thresholds % 2 == 1
        if wrong.any():
            at = int(np.argmax(wrong))
            kind = "even numbers" if neuron.leak else "numbers"
            raise self.error(
                f"threshold {thresholds[at]} of output {at} (threshold plus threshold_offsets) is "
                f"not allowed; thresholds are {kind} in 1..{MAX_THRESHOLD}"
            )
        self.set(threshold_offsets=offsets)


def digit_limits(bits: int, shift: int) -> tuple[int, int]:
    """The smallest and the largest weight of two digits of `bits` bits, ``(high << shift) + low``,
    of which all in between exist."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    return (low << shift) + low, (high << shift) + high


def ones(x: NDArray) -> NDArray:
    """The sum of the magnitudes of the inputs (B, ...) of each image: additions of a row."""
    axes = tuple(range(1, x.ndim))
    return (np.abs(x) if x.dtype.kind == "i" else x).sum(axes, dtype=np.int64)
