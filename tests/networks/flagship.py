"""A network of the size of fashion-spikformer, with weights as training gives them."""

from dataclasses import replace

import numpy as np

from spikeloom.networks.graph import Graph
from spikeloom.networks.layers.weighted import Weighted
from spikeloom.networks.neuron import Neuron
from tests.networks.random_network import random_network

STEP = 8  # constants are multiples, so that each takes one row of the weight memory


def flagship(*, weight_bits: int = 8, seed: int = 1) -> Graph:
    """49 tokens, 64 dims, 2 blocks of 2 heads, MLP 128, T = 4, 10 classes; normal weights, and
    thresholds at which 10 to 25 % of the neurons fire."""
    rng = np.random.default_rng(seed)
    network = random_network(weight_bits=weight_bits, seed=seed)
    half = 1 << (weight_bits - 1)
    step = STEP if weight_bits == 8 else 2
    layers = []
    for layer in network.layers:
        if not isinstance(layer, Weighted):
            layers.append(layer)
            continue
        deviation = half / 6
        weight = np.clip(np.rint(rng.normal(0, deviation, layer.weight.shape)), -half, half - 1)
        pixels = 100 if layer.name == "embed" else 1
        spread = deviation * pixels * len(weight) ** 0.5
        bias = np.rint(rng.normal(-spread / 12, spread / 12, layer.outputs) / step) * step
        neuron = getattr(layer, "neuron", None)
        if neuron is not None:
            threshold = 2 * step * max(1, round(0.45 * spread / step / 2))
            neuron = {"neuron": Neuron(threshold=threshold)}
        layers.append(
            replace(
                layer, weight=weight.astype(np.int8), bias=bias.astype(np.int32), **neuron or {}
            )
        )
    return replace(network, layers=tuple(layers))
