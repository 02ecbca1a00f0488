"""Biases rounded so that the engine needs fewer rows of weights for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

import numpy as np

from ..graph import INPUT, Graph
from ..layers import Convolution, Layer, Linear
from .constants import MAX_ROWS, fewest_step_rows
from .rests import step_constant
from .weight_format import possible_shifts

FINEST = 8  # a threshold has at least so many steps of the rounding


def round_biases(network: Graph) -> Graph:
    """The network with biases of linear layers that take fewer cycles.

    A neuron adds the constant ``bias - (threshold >> leak)`` in every step, see `Lanes`. It is read
    as rows of weights, the first of which is shifted, so a constant that is a multiple of
    ``1 << shift`` often takes one row instead of two. Each row is an entry in every event list.

    The shift with the fewest rows is chosen, and of several the smallest. It is at most an eighth
    of the smallest threshold, so that a bias changes by a sixteenth of a threshold at most.
    Layers with weights of two digits, which are to be more exact, keep their biases. Networks of
    layers that need no second row are returned unchanged.
    """
    layers = [layer for layer in network.layers if _is_rounded(layer, network)]
    if not layers:
        return network
    bits, lowest = network.word_bits, possible_shifts(network)[0]
    smallest = min(int(layer.neuron.thresholds(layer.threshold_offsets).min()) for layer in layers)
    shifts = range(max(1, (smallest // FINEST).bit_length()))

    def rows(shift: int) -> int:
        found = (
            fewest_step_rows(_rounded(layer, shift), max(shift, lowest), bits) for layer in layers
        )
        counts = [MAX_ROWS + 1 if one is None else len(one) for one in found]
        return sum(count * layer.outputs for count, layer in zip(counts, layers, strict=True))

    shift = min(shifts, key=lambda shift: (rows(shift), shift))
    rounded = {layer.name: _with_bias(layer, shift) for layer in layers}
    return replace(network, layers=tuple(rounded.get(x.name, x) for x in network.layers))


def _is_rounded(layer: Layer, network: Graph) -> TypeGuard[Linear | Convolution]:
    """Whether a neuron adds the bias of a layer in every step, and its weights are one digit."""
    return (
        isinstance(layer, Linear | Convolution)
        and layer.inputs != (INPUT,)
        and layer.neuron.kind != "none"
        and network.digits(layer) == 1
    )


def _rounded(layer: Linear | Convolution, shift: int) -> np.ndarray:
    """The layer's constant, rounded to a multiple of ``1 << shift``."""
    step = 1 << shift
    return np.rint(step_constant(layer) / step).astype(np.int64) * step


def _with_bias(layer: Linear | Convolution, shift: int) -> Layer:
    change = _rounded(layer, shift) - step_constant(layer)
    return replace(layer, bias=(layer.bias + change).astype(np.int32))
