"""Attention "spike-driven": a mask of q."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..ranges import Bounds, Range
from ..signals import Signal, Spikes
from .attention_form import AttentionForm, same_dims

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .attention import Attention


class SpikeDriven(AttentionForm):
    """One neuron for each dimension, which all tokens share, decides whether q passes::

        I[t, d]      = sum over n of k[t, n, d] AND v[t, n, d]
        out[t, n, d] = q[t, n, d] AND s[t, d]      s: the spikes of I

    Heads do not mix dimensions, so their number makes no difference.

    Source: Yao et al., "Spike-driven Transformer", NeurIPS 2023.
    """

    def check(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        super().check(layer, qkv)
        same_dims(layer, qkv)
        if layer.neuron.kind != "lif":
            raise layer.error(
                f"neuron kind is {layer.neuron.kind}; attention of form spike-driven has lif"
            )

    def output(self, layer: Attention, qkv: Sequence[Spikes]) -> Signal:
        return layer.neuron.output(qkv[0], Range(0, qkv[0].tokens))

    def bounds(self, layer: Attention, qkv: Sequence[Spikes]) -> Bounds:
        current = Range(0, qkv[0].tokens)
        neuron, steps = layer.neuron, qkv[0].steps
        membrane = neuron.membrane(current, steps)
        return Bounds(current, membrane, neuron.accumulator(current, steps), current)

    def compute(
        self, layer: Attention, qkv: Sequence[Spikes], inputs: Sequence[NDArray]
    ) -> NDArray:
        q, k, v = inputs
        counts = (k & v).sum(2, keepdims=True, dtype=np.int32)
        return q & layer.neuron.fire(counts, q.shape[1])

    def additions(self, layer: Attention, inputs: Sequence[NDArray]) -> NDArray:
        """One for each k that meets a spike of v."""
        _, k, v = inputs
        return (k & v).sum((1, 2, 3), dtype=np.int64)
