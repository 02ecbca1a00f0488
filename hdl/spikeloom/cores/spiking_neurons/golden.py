"""Spiking neurons: golden model in integers, and a floating-point reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import SpikingNeurons

LEAKY = {"leak_numerator": 1, "leak_shift": 1}  # a time constant of 2, as in arXiv 2503.00226


def fire(config: SpikingNeurons, inputs: NDArray) -> NDArray:
    """Spikes of inputs (T, n) or (T, ...), a neuron for each place: int8, -1 only if ternary.

    `config` is a `SpikingNeurons`; the result is bit-exact.
    """
    inputs = np.asarray(inputs, np.int64)
    state = np.zeros(inputs.shape[1:], np.int64)
    spikes = np.zeros(inputs.shape, np.int8)
    for step, x in enumerate(inputs):
        potential = state + x
        spike = (potential >= config.threshold).astype(np.int64)
        if config.output == "ternary":
            spike -= potential <= -config.threshold
        if config.reset == "hard":
            left = np.where(spike != 0, 0, potential)
        else:
            left = potential - config.threshold * spike
        state = left * config.leak_numerator >> config.leak_shift
        spikes[step] = spike
    return spikes


def float_fire(
    inputs: NDArray, *, threshold: float, leak: float, reset: str = "hard", output: str = "binary"
) -> NDArray:
    """The same neuron in floating point: float64 spikes of inputs (T, ...)."""
    state = np.zeros(inputs.shape[1:])
    spikes = np.zeros(inputs.shape)
    for step, x in enumerate(inputs):
        potential = state + x
        spike = (potential >= threshold).astype(float)
        if output == "ternary":
            spike -= potential <= -threshold
        left = (
            np.where(spike != 0, 0, potential) if reset == "hard" else potential - threshold * spike
        )
        state = leak * left
        spikes[step] = spike
    return spikes
