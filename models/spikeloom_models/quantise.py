"""From a floating-point network to the integers of the hardware."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import InputError
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import (
    Attention,
    Classifier,
    Convolution,
    Layer,
    Linear,
    Pooling,
    Residual,
)
from spikeloom.networks.neuron import MAX_THRESHOLD, Neuron

from . import floating
from .floating import FloatLayer, FloatNetwork, FloatNeuron

CLIPS = np.linspace(0.4, 1.0, 25)  # candidates for the largest weight, as shares of the true one
LARGEST_SUM = 2**23 - 1  # of the classifier, in any order of the additions


@dataclass(frozen=True)
class Cut:
    """What rounding did to a layer: the share of weights beyond the largest integer, and the root
    mean square of the rounding error relative to that of the weights."""

    clipped: float
    error: float


@dataclass
class Quantised:
    """A network in integers, and what each layer lost."""

    graph: Graph
    cuts: dict[str, Cut] = field(default_factory=dict)


def quantise(
    network: FloatNetwork,
    bits: int = 8,
    *,
    name: str = "",
    classes: Sequence[str] = (),
    licence: str = "",
    description: str = "",
) -> Quantised:
    """The integers of a network: normalisation folded into weights, biases and thresholds.

    Each layer has one scale. It is the one whose rounded weights of `bits` bits are nearest to the
    true ones (least squares): few bits clip some large weights. Raises `InputError` for what the
    hardware's arithmetic cannot express.
    """
    cuts: dict[str, Cut] = {}
    layers: list[Layer] = []
    for layer in network.layers:
        if type(layer) not in _CONVERTERS:
            raise InputError(f"layer {layer.name}: no conversion for {type(layer).__name__}")
        layers.append(_CONVERTERS[type(layer)](layer, _Context(network, bits, cuts)))
    graph = Graph(
        name=name or network.name,
        steps=network.steps,
        image=network.image,
        layers=tuple(layers),
        classes=tuple(classes),
        licence=licence,
        description=description,
    )
    return Quantised(graph, cuts)


@dataclass(frozen=True)
class _Context:
    network: FloatNetwork
    bits: int
    cuts: dict[str, Cut]

    @property
    def largest(self) -> int:
        return 2 ** (self.bits - 1) - 1

    def integers(self, layer: floating.Weighted, weight: NDArray, bias: NDArray) -> dict:
        """Fields of an integer layer with neurons, from weights ``[in, out]`` and biases."""
        neuron = layer.neuron
        assert neuron is not None
        leak = _leak(neuron, layer.name)
        unit = neuron.gain / neuron.threshold  # weights in units of the threshold
        threshold = self._threshold(weight * unit, leak, layer.name)
        return self._rounded(layer.name, weight, bias, threshold * unit) | {
            "neuron": Neuron(threshold=threshold, leak=leak)
        }

    def classifier(self, layer: floating.Weighted, weight: NDArray, bias: NDArray) -> dict:
        """Fields of the classifier; its logits are sums over tokens and steps."""
        slots = self.network.steps * _tokens(self.network)
        scale = self._scale(weight)
        sums = np.stack([np.maximum(weight, 0).sum(0), np.maximum(-weight, 0).sum(0)])
        high = len(self.network.layers)  # residual sums are smaller than that
        largest = (sums * high + np.abs(bias)).max() * slots * scale
        scale *= min(1.0, LARGEST_SUM / 2 / max(largest, 1e-9))
        return self._rounded(layer.name, weight, bias * slots, scale)

    def _threshold(self, weight: NDArray, leak: int, name: str) -> int:
        step = 2 if leak else 1
        threshold = max(step, step * math.floor(self._scale(weight) / step))
        if threshold > MAX_THRESHOLD:
            raise InputError(
                f"layer {name}: its weights are so small that the threshold would be {threshold:,} "
                f"(at most {MAX_THRESHOLD:,}); it never spikes"
            )
        return threshold

    def _scale(self, weight: NDArray) -> float:
        """The factor to integers with the least square error."""
        peak = np.abs(weight).max()
        if peak == 0:
            return 1.0
        scales = self.largest / (peak * CLIPS)
        errors = [np.square(weight - self._round(weight * s) / s).sum() for s in scales]
        return float(scales[int(np.argmin(errors))])

    def _round(self, scaled: NDArray) -> NDArray:
        return np.clip(np.rint(scaled), -self.largest, self.largest)

    def _rounded(self, name: str, weight: NDArray, bias: NDArray, scale: float) -> dict:
        scaled = weight * scale
        rounded, power = self._round(scaled), max(float(np.square(scaled).mean()), 1e-12)
        self.cuts[name] = Cut(
            clipped=float((np.abs(scaled) > self.largest + 0.5).mean()),
            error=math.sqrt(float(np.square(rounded - scaled).mean()) / power),
        )
        return {
            "weight": rounded.astype(np.int8),
            "bias": np.clip(np.rint(bias * scale), -(2**31), 2**31 - 1).astype(np.int32),
            "weight_bits": self.bits,
        }


def _leak(neuron: FloatNeuron, name: str) -> int:
    """The shift of the membrane in a step."""
    leaks = {math.inf: 0, 2.0: 1}
    if neuron.tau not in leaks:
        raise InputError(
            f"layer {name}: tau = {neuron.tau:g}; the hardware keeps a half (tau = 2) or all "
            "(tau = inf) of a membrane: train with one of them"
        )
    return leaks[neuron.tau]


def _tokens(network: FloatNetwork) -> int:
    """Tokens that the classifier reads."""
    grid = next(
        (x.grid for x in reversed(network.layers) if isinstance(x, floating.Convolution)), (1, 1)
    )
    return grid[0] * grid[1]


def _weights(layer: floating.Weighted) -> tuple[NDArray, NDArray]:
    """Folded weights ``[in, out]`` and biases, in double precision."""
    weight, bias = layer.folded()
    return weight.T.numpy(), bias.numpy()


def _convolution(layer: floating.Convolution, context: _Context) -> Layer:
    """Rows of the weights are the places of the kernel, row by row, channels together. The first
    layer reads bytes: their normalisation goes into weights, biases and the pixel outside."""
    folded, bias = layer.folded()
    weight = folded.permute(2, 3, 1, 0).numpy()
    border: tuple[int, ...] = ()
    if layer.is_first:
        assert layer.mean is not None
        assert layer.std is not None
        mean, std = (x.double().numpy() for x in (layer.mean, layer.std))
        bias = bias - folded.sum((2, 3)) @ (layer.mean.double() / layer.std.double())
        weight = weight / (255 * std[:, None])
        border = tuple(int(x) for x in np.clip(np.rint(255 * mean), 0, 255))
    fields = context.integers(layer, weight.reshape(-1, weight.shape[-1]), bias.numpy())
    return Convolution(
        name=layer.name,
        inputs=layer.inputs,
        kernel=tuple(folded.shape[2:]),
        stride=(layer.stride,) * 2,
        padding=(layer.padding,) * 2,
        border=border if any(border) else (),
        **fields,
    )


def _pool(layer: floating.MaxPool, context: _Context) -> Layer:
    return Pooling(
        name=layer.name,
        inputs=layer.inputs,
        form="max",
        kernel=(layer.window,) * 2,
        stride=(layer.stride,) * 2,
        padding=(layer.padding,) * 2,
    )


def _linear(layer: floating.Linear, context: _Context) -> Layer:
    fields = context.integers(layer, *_weights(layer))
    return Linear(name=layer.name, inputs=layer.inputs, **fields)


def _attention(layer: floating.Attention, context: _Context) -> Layer:
    """The scale of the product goes into the threshold."""
    leak = _leak(layer.neuron, layer.name)
    exact = layer.neuron.threshold / layer.neuron.gain / layer.scale
    step = 2 if leak else 1
    threshold = max(step, step * math.ceil(exact / step - 1e-9))
    return Attention(
        name=layer.name,
        inputs=layer.inputs,
        form="spikformer",
        heads=layer.heads,
        neuron=Neuron(threshold=threshold, leak=leak),
    )


def _add(layer: floating.Add, context: _Context) -> Layer:
    return Residual(name=layer.name, inputs=layer.inputs, form="add")


def _head(layer: floating.Head, context: _Context) -> Layer:
    fields = context.classifier(layer, *_weights(layer))
    return Classifier(name=layer.name, inputs=layer.inputs, **fields)


_CONVERTERS: dict[type[FloatLayer], Callable[..., Layer]] = {
    floating.Convolution: _convolution,
    floating.MaxPool: _pool,
    floating.Linear: _linear,
    floating.Attention: _attention,
    floating.Add: _add,
    floating.Head: _head,
}
