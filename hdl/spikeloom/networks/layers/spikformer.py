"""Attention "spikformer": products of spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..exact import exact_product
from ..ranges import Bounds, Range
from ..signals import Signal, Spikes
from .attention_form import AttentionForm, same_dims

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .attention import Attention


class Spikformer(AttentionForm):
    """For each head::

        M[t, d, e] = sum over n of k[t, n, d] v[t, n, e]
        I[t, n, e] = sum over d of q[t, n, d] M[t, d, e]

    and neurons of I. There is no bias; the scale is in the threshold.

    Source: Zhou et al., "Spikformer: When Spiking Neural Network Meets Transformer", ICLR 2023.
    """

    def output(self, layer: Attention, qkv: Sequence[Spikes]) -> Signal:
        return layer.neuron.output(qkv[2], self.sums(layer, qkv)[1])

    def bounds(self, layer: Attention, qkv: Sequence[Spikes]) -> Bounds:
        state, current = self.sums(layer, qkv)
        return replace(layer.neuron.bounds(current, qkv[0].steps), state=state)

    def sums(self, layer: Attention, qkv: Sequence[Spikes]) -> tuple[Range, Range]:
        """The ranges of the state M and of I, with every part of their sums."""
        q, k, v = qkv
        most = q.tokens * k.high
        state = Range(most * v.low, most * v.high)
        dims = q.dims // layer.heads
        return state, Range(dims * state.low, dims * state.high)

    def compute(
        self, layer: Attention, qkv: Sequence[Spikes], inputs: Sequence[NDArray]
    ) -> NDArray:
        states, currents = self.sums(layer, qkv)
        q, k, v = (by_head(x, layer.heads) for x in inputs)
        state = exact_product(k.swapaxes(-1, -2), v, states)
        sums = exact_product(q, state, currents)
        return layer.neuron.fire(from_heads(sums), inputs[0].shape[1])

    def additions(self, layer: Attention, inputs: Sequence[NDArray]) -> NDArray:
        """Spikes of v for each spike of k in a token and head, and a row of the state for each
        spike of q."""
        q, k, v = ((by_head(x, layer.heads) != 0).sum(-1, dtype=np.int64) for x in inputs)
        row = inputs[2].shape[-1] // layer.heads
        return (k * v).sum((1, 2, 3)) + q.sum((1, 2, 3)) * row


class A2OS2A(Spikformer):
    """The same sums of q in 0..1, k in 0..2**bits - 1 (ReLU) and v in -1..1 (ternary).

    Source: Guo et al., "Spiking Transformer: Introducing Accurate Addition-Only Spiking
    Self-Attention for Transformer", CVPR 2025.
    """

    def check(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        q, k, v = layer.inputs
        self.need(layer, q, qkv[0], 0, 1, "spikes as q")
        self.need(layer, k, qkv[1], 0, 255, "integers from 0 on as k")
        self.need(layer, v, qkv[2], -1, 1, "ternary spikes as v")
        same_dims(layer, qkv[:2])


def by_head(spikes: NDArray, heads: int) -> NDArray:
    """Spikes (B, T, N, D) as (B, T, H, N, D / H)."""
    *lead, dims = spikes.shape
    return spikes.reshape(*lead, heads, dims // heads).swapaxes(-3, -2)


def from_heads(spikes: NDArray) -> NDArray:
    """The inverse of `by_head`: (B, T, H, N, D / H) as (B, T, N, D)."""
    *lead, _, tokens, _ = spikes.shape
    return spikes.swapaxes(-3, -2).reshape(*lead, tokens, -1)
