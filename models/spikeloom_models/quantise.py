"""From a floating-point network to the integers of the hardware."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import InputError
from spikeloom.networks.engine_limits import LANE_BITS
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import (
    Attention,
    Classifier,
    Convolution,
    Layer,
    Linear,
    Neurons,
    PatchEmbedding,
    Pooling,
    Residual,
)
from spikeloom.networks.neuron import MAX_THRESHOLD, NO_NEURON, Neuron

from . import floating
from .calibration import Inputs
from .floating import FloatLayer, FloatNetwork, FloatNeuron
from .phase_choice import LayerCode
from .rounding import CLIPS, Cut, integer_fields, largest_weight, nearest_scale
from .thresholds import offsets_from, varied

LARGEST_SUM = 2**23 - 1  # of an accumulator, in any order of the additions
MARGIN = 0.95  # share of it that weights use before they are rounded


@dataclass
class Quantised:
    """A network in integers, what each layer lost, and the phase codes that were chosen."""

    graph: Graph
    cuts: dict[str, Cut] = field(default_factory=dict)
    codes: dict[str, LayerCode] = field(default_factory=dict)


def quantise(
    network: FloatNetwork,
    bits: int = 8,
    *,
    stem_bits: int | None = None,
    name: str = "",
    classes: Sequence[str] = (),
    licence: str = "",
    description: str = "",
    inputs: Mapping[str, Inputs] | None = None,
    own_thresholds: bool = False,
) -> Quantised:
    """The integers of a network: normalisation folded into weights, biases and thresholds.

    Each layer has one scale. It is the one whose rounded weights of `bits` bits are nearest to the
    true ones (least squares): few bits clip some large weights. Convolutions and the layer of the
    image have weights of `stem_bits` bits, if these are given; where they are more than those of
    the other layers, they are two digits of so many. With `own_thresholds`, the outputs of a layer
    whose weights are one digit have scales and thresholds of their own where that is better
    (`varied`). Layers without neurons that add up in one stream of currents share the smallest of
    their scales.
    `inputs` of layers, from `measured_inputs`, make the errors of rounding cancel. Raises
    `InputError` for what the hardware's arithmetic cannot express.
    """
    stem = bits if stem_bits is None else stem_bits
    context = _Context(network, bits, stem, {}, inputs or {}, own_thresholds)
    layers: list[Layer] = []
    for layer in network.layers:
        if type(layer) not in _CONVERTERS:
            raise InputError(f"layer {layer.name}: no conversion for {type(layer).__name__}")
        layers.append(_CONVERTERS[type(layer)](layer, context))
    graph = Graph(
        name=name or network.name,
        steps=network.steps,
        image=network.image,
        layers=tuple(layers),
        classes=tuple(classes),
        licence=licence,
        description=description,
        lane_bits=context.lane_bits if stem > context.lane_bits else None,
    )
    return Quantised(graph, context.cuts)


@dataclass(frozen=True)
class _Context:
    network: FloatNetwork
    most_bits: int
    stem_bits: int
    cuts: dict[str, Cut]
    inputs: Mapping[str, Inputs] = field(default_factory=dict)
    own_thresholds: bool = False

    @property
    def lane_bits(self) -> int:
        """Bits of a weight that a lane reads at once."""
        return min(self.most_bits, LANE_BITS[-1])

    def bits(self, layer: FloatLayer) -> int:
        """Bits of the weights of a layer."""
        return self.stem_bits if isinstance(layer, floating.FirstLayer) else self.most_bits

    @cached_property
    def currents(self) -> set[str]:
        """The layers whose output is currents."""
        found: set[str] = set()
        for layer in self.network.layers:
            passes = isinstance(layer, floating.MaxPool | floating.MeanPool | floating.Add)
            if _is_current(layer) or (passes and {*layer.inputs} <= found):
                found.add(layer.name)
        return found

    def integers(self, layer: floating.Weighted, weight: NDArray, bias: NDArray) -> dict:
        """Fields of an integer layer, from weights ``[in, out]`` and biases."""
        if layer.neuron is None:
            rounded = self._rounded(layer, weight, bias, self.scales[layer.name])
            return rounded | {"neuron": NO_NEURON}
        neuron = layer.neuron
        leak = _leak(neuron, layer.name)
        unit = neuron.gain / neuron.threshold  # weights in units of the threshold
        scale = self._scale(layer, weight * unit)
        first = isinstance(layer, floating.FirstLayer) and layer.is_first
        if first:
            scale = min(scale, self._widest(weight * unit, bias * unit, leak))
        threshold = _threshold(scale, leak, layer.name, math.floor)
        chosen = Neuron(threshold=threshold, leak=leak, reset=neuron.reset)
        own = None
        if self.own_thresholds and not first and self.bits(layer) <= self.lane_bits:
            own = varied(chosen, weight * unit, self.bits(layer))
        thresholds = np.array([threshold]) if own is None else own
        # A strict neuron does not fire at its threshold, which lies between two integers.
        exact = thresholds - 0.5 if neuron.strict else thresholds
        fields = self._rounded(layer, weight, bias, exact * unit) | {"neuron": chosen}
        if own is not None:
            threshold, fields["threshold_offsets"] = offsets_from(own, 1 + leak)
            fields["neuron"] = replace(chosen, threshold=threshold)
        return fields

    def _widest(self, weight: NDArray, bias: NDArray, leak: int) -> float:
        """The largest scale with which the sums of all pixels of an image fit in an accumulator,
        for weights and biases in units of the threshold."""
        signs = (np.maximum(sign * weight, 0).sum(0) * 255 + sign * bias for sign in (1, -1))
        steps = 2 if leak else self.network.steps
        return MARGIN * LARGEST_SUM / (1 + steps * max(float(sums.max()) for sums in signs))

    @cached_property
    def scales(self) -> dict[str, float]:
        """The scale of each layer whose output is currents. What is added has one scale, the
        smallest."""
        streams: dict[str, set[str]] = {}
        found: dict[str, float] = {}
        for layer in self.network.layers:
            if layer.name not in self.currents:
                continue
            if _is_current(layer):
                found[layer.name] = self._scale(layer, _matrix(layer)[0])
            names = {layer.name} if _is_current(layer) else {layer.name, *layer.inputs}
            joined = names.union(*(streams.get(name, names) for name in names))
            streams |= dict.fromkeys(joined, joined)
        return {
            name: min(found[one] for one in stream if one in found)
            for name, stream in streams.items()
        }

    def classifier(self, layer: floating.Head, weight: NDArray, bias: NDArray) -> dict:
        """Fields of the classifier; its logits are sums over tokens and steps."""
        slots = self.network.steps * (layer.tokens or _tokens(self.network))
        scale = self._scale(layer, weight)
        sums = np.stack([np.maximum(weight, 0).sum(0), np.maximum(-weight, 0).sum(0)])
        largest = (sums * self._spikes_of(layer.inputs[0]) + np.abs(bias)).max() * slots * scale
        scale *= min(1.0, MARGIN * LARGEST_SUM / max(largest, 1e-9))
        return self._rounded(layer, weight, bias * slots, scale)

    def _spikes_of(self, name: str) -> int:
        """The most spikes that an element of a layer's output sums."""
        layer = next(one for one in self.network.layers if one.name == name)
        if isinstance(layer, floating.Add):
            return sum(self._spikes_of(one) for one in layer.inputs)
        return self._spikes_of(layer.inputs[0]) if isinstance(layer, floating.MaxPool) else 1

    def _scale(self, layer: FloatLayer, weight: NDArray) -> float:
        """The factor to integers with the least square error."""
        peak = np.abs(weight).max()
        if peak == 0 or not np.isfinite(peak):
            return 1.0  # the latter is refused when it is rounded
        largest = largest_weight(self.bits(layer), self.lane_bits)
        scales = largest / (peak * CLIPS)
        return float(scales[nearest_scale(weight, scales, largest)])

    def _rounded(
        self, layer: FloatLayer, weight: NDArray, bias: NDArray, scale: float | NDArray
    ) -> dict:
        name, inputs = layer.name, self.inputs.get(layer.name)
        fields, self.cuts[name] = integer_fields(
            name, weight, bias, scale, self.bits(layer), inputs, self.lane_bits
        )
        return fields


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


def _threshold(exact: float, leak: int, name: str, rounding: Callable[[float], int]) -> int:
    """A threshold as an integer, even where the membrane leaks."""
    step = 2 if leak else 1
    if not exact + step <= MAX_THRESHOLD:
        raise InputError(
            f"layer {name}: its weights are so small that the threshold would be {exact:.4g} "
            f"(at most {MAX_THRESHOLD:,}); it never spikes"
        )
    return max(step, step * rounding(exact / step))


def _is_current(layer: FloatLayer) -> TypeGuard[floating.Weighted]:
    """Whether a layer has weights and no neurons, and is not the classifier."""
    if not isinstance(layer, floating.Weighted) or isinstance(layer, floating.Head):
        return False
    return layer.neuron is None


def _matrix(layer: floating.Weighted) -> tuple[NDArray, NDArray]:
    """Folded weights ``[in, out]`` and biases, in double precision. Rows are the places of a kernel
    or image, row by row, channels together."""
    weight, bias = layer.folded()
    if isinstance(layer, floating.WholeImage):
        assert layer.mean is not None
        weight = weight.unflatten(1, (len(layer.mean), -1, 1))
    if isinstance(layer, floating.FirstLayer):
        weight = weight.permute(2, 3, 1, 0).flatten(0, 2)
        if layer.is_first:  # bytes, whose normalisation goes into weights and biases
            assert layer.mean is not None
            assert layer.std is not None
            places = len(weight) // len(layer.mean)
            mean, std = (x.double().repeat(places)[:, None] for x in (layer.mean, layer.std))
            bias = bias - (weight * mean / std).sum(0)
            weight = weight / (255 * std)
        return weight.numpy(), bias.numpy()
    return weight.T.numpy(), bias.numpy()


def _whole_image(layer: floating.WholeImage, context: _Context) -> Layer:
    """One patch."""
    fields = context.integers(layer, *_matrix(layer))
    patch = context.network.image[:2]
    return PatchEmbedding(name=layer.name, inputs=layer.inputs, patch=patch, **fields)


def _convolution(layer: floating.Convolution, context: _Context) -> Layer:
    """The pixel outside an image is the one that normalises to 0."""
    border: tuple[int, ...] = ()
    if layer.mean is not None:
        border = tuple(int(x) for x in np.clip(np.rint(255 * layer.mean.numpy()), 0, 255))
    return Convolution(
        name=layer.name,
        inputs=layer.inputs,
        kernel=tuple(layer.weight.shape[2:]),
        stride=(layer.stride,) * 2,
        padding=(layer.padding,) * 2,
        border=border if any(border) else (),
        **context.integers(layer, *_matrix(layer)),
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
    fields = context.integers(layer, *_matrix(layer))
    return Linear(name=layer.name, inputs=layer.inputs, **fields)


def _attention(layer: floating.Attention, context: _Context) -> Layer:
    """The scale of the product goes into the threshold."""
    leak = _leak(layer.neuron, layer.name)
    exact = layer.neuron.threshold / layer.neuron.gain / layer.scale
    threshold = _threshold(exact - 1e-9, leak, layer.name, math.ceil)
    return Attention(
        name=layer.name,
        inputs=layer.inputs,
        form="spikformer",
        heads=layer.heads,
        neuron=Neuron(threshold=threshold, leak=leak),
    )


def _spike_driven(layer: floating.SpikeDriven, context: _Context) -> Layer:
    """Counts of spikes have no scale. Where a single one suffices, a membrane below the threshold
    is 0, so that it makes no difference whether it leaks."""
    leak = _leak(layer.neuron, layer.name)
    exact = layer.neuron.threshold / layer.neuron.gain - 1e-9
    leak = 0 if exact <= 1 else leak
    threshold = _threshold(exact, leak, layer.name, math.ceil)
    return Attention(
        name=layer.name,
        inputs=layer.inputs,
        form="spike-driven",
        heads=1,
        neuron=Neuron(threshold=threshold, leak=leak),
    )


def _neurons(layer: floating.Neurons, context: _Context) -> Layer:
    """Neurons of the stream; behind the sum over all tokens, their threshold is as many times
    larger."""
    leak = _leak(layer.neuron, layer.name)
    unit = layer.neuron.threshold / layer.neuron.gain * context.scales[layer.inputs[0]]
    (source,) = (x for x in context.network.layers if x.name == layer.inputs[0])
    if isinstance(source, floating.MeanPool):
        unit *= source.grid[0] * source.grid[1]
    threshold = _threshold(unit, leak, layer.name, round)
    return Neurons(
        name=layer.name, inputs=layer.inputs, neuron=Neuron(threshold=threshold, leak=leak)
    )


def _mean(layer: floating.MeanPool, context: _Context) -> Layer:
    """The sum: its tokens are in the threshold of the neurons."""
    return Pooling(
        name=layer.name, inputs=layer.inputs, form="sum", kernel=layer.grid, stride=layer.grid
    )


def _add(layer: floating.Add, context: _Context) -> Layer:
    """Spikes, or currents."""
    form = "membrane" if {*layer.inputs} <= context.currents else "add"
    return Residual(name=layer.name, inputs=layer.inputs, form=form)


def _head(layer: floating.Head, context: _Context) -> Layer:
    fields = context.classifier(layer, *_matrix(layer))
    return Classifier(name=layer.name, inputs=layer.inputs, **fields)


_CONVERTERS: dict[type[FloatLayer], Callable[..., Layer]] = {
    floating.WholeImage: _whole_image,
    floating.Convolution: _convolution,
    floating.MaxPool: _pool,
    floating.Linear: _linear,
    floating.Attention: _attention,
    floating.SpikeDriven: _spike_driven,
    floating.Neurons: _neurons,
    floating.MeanPool: _mean,
    floating.Add: _add,
    floating.Head: _head,
}
