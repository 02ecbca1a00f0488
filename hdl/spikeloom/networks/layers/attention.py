"""Attention without softmax: products of spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..exact import exact_product
from ..neuron import Neuron
from ..ranges import Bounds, Range
from ..signals import Signal, Spikes
from ..values import whole
from .layer import MAX_DIMS, Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention(Layer):
    """Attention of `heads` heads over the inputs q, k and v, and its neurons. For each head:

        M[t, d, e] = sum over n of k[t, n, d] v[t, n, e]
        I[t, n, e] = sum over d of q[t, n, d] M[t, d, e]

    There is no bias; the scale is in the threshold.

    Source: Zhou et al., "Spikformer: When Spiking Neural Network Meets Transformer", ICLR 2023.
    """

    KIND = "attention"
    FORMS = ("spikformer",)

    form: str
    heads: int
    neuron: Neuron

    def check(self) -> None:
        whole(self.heads, 1, MAX_DIMS, self.where, "heads")
        self.need_neuron(self.neuron)

    def qkv(self, sources: Sequence[Signal]) -> list[Spikes]:
        """The inputs q, k and v, which must be spikes that fit each other and the heads."""
        self.take(sources, 3)
        found = self.spikes(sources)
        for name, source in zip(self.inputs, found, strict=True):
            if source.high > 1:
                raise self.error(f"input {name} holds 0..{source.high}; attention takes spikes")
            if source.dims % self.heads:
                raise self.error(
                    f"{self.heads} heads do not divide the {source.dims} dims of {name}; choose a "
                    "divisor"
                )
        q, k, _ = found
        if q.dims != k.dims:
            raise self.error(
                f"{self.inputs[0]} has {q.dims} dims and {self.inputs[1]} {k.dims}; q and k must "
                "have the same"
            )
        return found

    def output(self, sources: Sequence[Signal]) -> Spikes:
        _, _, v = self.qkv(sources)
        return Spikes(v.steps, v.tokens, v.dims)

    def bounds(self, sources: Sequence[Signal]) -> Bounds:
        q, _, _ = self.qkv(sources)
        state, current = self.sums(q)
        membrane = self.neuron.membrane(current, q.steps)
        return Bounds(current, membrane, membrane.shifted(-self.neuron.threshold), state)

    def sums(self, q: Spikes) -> tuple[Range, Range]:
        """The ranges of the state M and of I."""
        return Range(0, q.tokens), Range(0, q.dims // self.heads * q.tokens)

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        states, currents = self.sums(self.qkv(sources)[0])
        q, k, v = (self._by_head(x) for x in inputs)
        state = exact_product(k.swapaxes(-1, -2), v, states)
        sums = exact_product(q, state, currents)
        *lead, _, tokens, _ = sums.shape
        merged = sums.swapaxes(-3, -2).reshape(*lead, tokens, -1)
        return self.neuron.fire(merged, inputs[0].shape[1])

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """Spikes of v for each spike of k in a token and head, and a row of the state for each
        spike of q."""
        q, k, v = (self._by_head(x).sum(-1, dtype=np.int64) for x in inputs)
        row = inputs[2].shape[-1] // self.heads
        return (k * v).sum((1, 2, 3)) + q.sum((1, 2, 3)) * row

    def _by_head(self, spikes: NDArray) -> NDArray:
        """Spikes (B, T, N, D) as (B, T, H, N, D / H)."""
        *lead, dims = spikes.shape
        return spikes.reshape(*lead, self.heads, dims // self.heads).swapaxes(-3, -2)
