"""Spiking neurons: golden model in integers, and a floating-point reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..channels import per_channel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .core import SpikingNeurons

LEAKY = {"leak_numerator": 1, "leak_shift": 1}  # a time constant of 2, as in arXiv 2503.00226


def fire(config: SpikingNeurons, inputs: NDArray) -> NDArray:
    """Spikes of inputs (T, n) or (T, ...), a neuron for each place: int8, -1 only if ternary.

    `config` is a `SpikingNeurons`; the result is bit-exact.
    """
    return fire_and_count(config, inputs)[0]


def fire_and_count(config: SpikingNeurons, inputs: NDArray) -> tuple[NDArray, int]:
    """The spikes of `fire`, and how many potentials were held at the end of their range.

    The potentials of the last step are not kept, and therefore not counted.
    """
    inputs = np.asarray(inputs, np.int64)
    threshold = np.resize(np.array(per_channel(config.threshold), np.int64), inputs.shape[1:])
    most = 2 ** (config.membrane_bits - 1) - 1
    held = 0
    state = np.zeros(inputs.shape[1:], np.int64)
    spikes = np.zeros(inputs.shape, np.int8)
    for step, x in enumerate(inputs):
        spikes[step], renewed = _fire_once(config, threshold, state + x)
        state = renewed.clip(-most - 1, most) if config.saturates else renewed
        if step < len(inputs) - 1:
            held += int((state != renewed).sum())
    return spikes, held


def _fire_once(config, threshold, potential):
    """The spikes of potentials, and the potentials after them."""
    spike = (potential >= threshold).astype(np.int64)
    if config.output == "ternary":
        spike -= potential <= -threshold
    if config.reset == "hard":
        left = np.where(spike != 0, 0, potential)
    else:
        left = potential - threshold * spike
    return spike, left * config.leak_numerator >> config.leak_shift


def inputs_at_edges(config: SpikingNeurons, rng: np.random.Generator) -> NDArray:
    """Random inputs (T, n) of which three in four bring a potential to its threshold or one below,
    as far as `input_bits` allow."""
    shape = (config.steps, config.neurons)
    least = -(2 ** (config.input_bits - 1))
    most = 2 ** (config.membrane_bits - 1) - 1
    threshold = np.resize(np.array(per_channel(config.threshold), np.int64), config.neurons)
    signs = rng.choice((-1, 1) if config.output == "ternary" else (1,), shape)
    goals = signs * (threshold - rng.integers(0, 2, shape))
    inputs = rng.integers(least, -least, shape)
    chosen = rng.random(shape) < 0.75
    state = np.zeros(config.neurons, np.int64)
    for x, goal, near in zip(inputs, goals, chosen, strict=True):
        x[near] = (goal - state)[near].clip(least, -least - 1)
        _, renewed = _fire_once(config, threshold, state + x)
        state = renewed.clip(-most - 1, most)
    return inputs


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
