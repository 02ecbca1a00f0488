"""Fine-tuning of a network in the hardware's integers, for weights of fewer bits."""

# pyright: reportMissingImports=false

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from spikeloom.networks import golden
from spikeloom.networks.engine_limits import LANE_BITS
from spikeloom.networks.graph import INPUT, Graph
from spikeloom.networks.layers import (
    Attention,
    Classifier,
    Convolution,
    Layer,
    Linear,
    PatchEmbedding,
    Pooling,
    Residual,
)
from spikeloom.networks.layers.weighted import Weighted
from spikeloom.networks.neuron import Neuron
from spikeloom.networks.values import weight_type

from .data import Labelled
from .devices import AUTO, find_device
from .planes import to_planes, to_tokens, windows_of
from .progress import Progress
from .rounding import CLIPS, integer_fields, largest_weight, nearest_scale
from .torch.layers import cut_patches
from .torch.neuron import LIF, clamp_through, round_through

TUNED = (PatchEmbedding, Convolution, Linear, Attention, Pooling, Residual, Classifier)
BATCH = 64


def requantised(graph: Graph, bits: int, image_bits: int | None = None) -> Graph:
    """The network with weights of `bits` bits, each layer on the scale whose rounded weights are
    nearest to the given ones (least squares). The layer of the image has weights of `image_bits`
    bits: more than `bits` are two digits."""
    first = bits if image_bits is None else image_bits
    lane_bits = min(bits, LANE_BITS[-1])
    layers = (
        _requantised(layer, first if layer is graph.embedding else bits, lane_bits)
        for layer in graph.layers
    )
    chosen = lane_bits if first > lane_bits else None
    return replace(graph, layers=tuple(layers), lane_bits=chosen)


def _requantised(layer: Layer, bits: int, lane_bits: int) -> Layer:
    if not isinstance(layer, Weighted):
        return layer
    weight, largest = layer.weight.astype(float), largest_weight(bits, lane_bits)
    scales = largest / (max(np.abs(weight).max(), 1) * CLIPS)
    neuron = getattr(layer, "neuron", None)
    if neuron is not None:  # thresholds are integers, even where the membrane leaks
        step = 1 + neuron.leak
        thresholds = np.unique(np.maximum(np.rint(scales * neuron.threshold / step), 1) * step)
        scales = thresholds / neuron.threshold
    best = nearest_scale(weight, scales, largest)
    fields, _ = integer_fields(layer.name, weight, layer.bias, scales[best], bits, None, lane_bits)
    if neuron is not None:
        fields["neuron"] = replace(neuron, threshold=int(thresholds[best]))
    return replace(layer, **fields)


class Tunable(nn.Module):
    """A network whose forward pass is that of the hardware, and whose weights and biases learn
    through the rounding (straight-through gradients).

    Raises `InputError` for a layer that cannot be tuned.
    """

    def __init__(self, graph: Graph):
        super().__init__()
        for layer in graph.layers:
            _check(layer)
        self.graph = graph
        self.weights, self.biases = nn.ParameterDict(), nn.ParameterDict()
        for layer in graph.layers:
            if isinstance(layer, Weighted):
                key, unit = _key(layer.name), self._unit(layer)
                self.weights[key] = nn.Parameter(torch.from_numpy(layer.weight / unit).float())
                self.biases[key] = nn.Parameter(torch.from_numpy(layer.bias / unit).float())

    def _unit(self, layer: Weighted) -> float:
        """What a parameter is multiplied by: parameters are in units of the threshold."""
        levels = 2**self.graph.pixel_bits - 1 if INPUT in layer.inputs else 1
        neuron = getattr(layer, "neuron", None)
        return self._largest(layer) if neuron is None else neuron.threshold / levels

    def _largest(self, layer: Weighted) -> int:
        """The largest magnitude of a weight."""
        return largest_weight(layer.weight_bits, self.graph.word_bits)

    def weight(self, layer: Weighted) -> Tensor:
        """The integers of a layer, ``[in, out]``."""
        largest = self._largest(layer)
        scaled = self.weights[_key(layer.name)] * self._unit(layer)
        return round_through(clamp_through(scaled, -largest, largest))

    def bias(self, layer: Weighted) -> Tensor:
        """The integers of a layer, ``[out]``."""
        return round_through(self.biases[_key(layer.name)] * self._unit(layer))

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``[B, classes]`` of images ``[B, Y, X, C]`` of bytes, as the golden model has
        them."""
        pixels = images >> (8 - self.graph.pixel_bits)
        values = {INPUT: pixels.float()}
        for layer in self.graph.layers:
            values[layer.name] = self._compute(layer, [values[name] for name in layer.inputs])
        return values[self.graph.layers[-1].name]

    def _compute(self, layer: Layer, inputs: list[Tensor]) -> Tensor:
        x = inputs[0]
        if isinstance(layer, Classifier):
            return x.sum((0, 2)) @ self.weight(layer) + self.bias(layer)
        if isinstance(layer, Residual):
            return torch.stack(inputs).sum(0) if layer.form == "add" else x * (1 - inputs[1])
        if isinstance(layer, Pooling):
            return self._pooled(layer, x)
        if isinstance(layer, Attention):
            q, k, v = (one.unflatten(-1, (layer.heads, -1)).transpose(-3, -2) for one in inputs)
            product = q @ (k.transpose(-1, -2) @ v)
            return fire(product.transpose(-3, -2).flatten(-2), layer.neuron)
        if isinstance(layer, PatchEmbedding):
            x = cut_patches(x, layer.patch)
        elif isinstance(layer, Convolution):
            x = self._windows(layer, x)
        assert isinstance(layer, PatchEmbedding | Convolution | Linear)
        current = x @ self.weight(layer) + self.bias(layer)
        if INPUT in layer.inputs:
            current = current.expand(self.graph.steps, *current.shape)
        return fire(current, layer.neuron)

    def _pooled(self, layer: Pooling, x: Tensor) -> Tensor:
        pooled = functional.max_pool2d(
            self._planes(layer, x), layer.kernel, layer.stride, layer.padding
        )
        return to_tokens(pooled).unflatten(0, x.shape[:2])

    def _windows(self, layer: Convolution, x: Tensor) -> Tensor:
        """The windows ``[..., N, values]`` of an image or of tokens, row by row, channels
        together."""
        first = INPUT in layer.inputs
        planes = x.permute(0, 3, 1, 2) if first else self._planes(layer, x)
        height, width = layer.padding
        if first and layer.border:
            border = torch.tensor(layer.border) >> (8 - self.graph.pixel_bits)
            border = border.view(1, -1, 1, 1).to(planes)
            planes = functional.pad(planes - border, (width, width, height, height)) + border
        else:
            planes = functional.pad(planes, (width, width, height, height))
        found = windows_of(planes, layer.kernel, layer.stride)
        return found if first else found.unflatten(0, x.shape[:2])

    def _planes(self, layer: Layer, x: Tensor) -> Tensor:
        grid = getattr(self.graph.signals[layer.inputs[0]], "grid", None)
        assert grid is not None
        return to_planes(x, grid)

    @torch.no_grad()
    def to_graph(self) -> Graph:
        """The network with the weights and biases of now."""
        layers = []
        for layer in self.graph.layers:
            if isinstance(layer, Weighted):
                weight = self.weight(layer).numpy().astype(weight_type(layer.weight_bits))
                bias = self.bias(layer).numpy().astype(np.int32)
                layer = replace(layer, weight=weight, bias=bias)
            layers.append(layer)
        return replace(self.graph, layers=tuple(layers))


def fire(current: Tensor, neuron: Neuron) -> Tensor:
    """Spikes of currents ``[T, ...]``."""
    return LIF(neuron.leak, neuron.reset)(current, neuron.threshold, integer=True)


def tune(
    graph: Graph,
    data: Labelled,
    *,
    epochs: int = 2,
    rate: float = 1e-3,
    seed: int = 1,
    threads: int = 0,
    device: str = AUTO,
    report: Callable[[Progress], None] = lambda _: None,
) -> Graph:
    """The network after `epochs` passes over the images. The learning rate falls from `rate` as a
    cosine. `threads`: 0 for PyTorch's choice; `device` as for training."""
    if threads:
        torch.set_num_threads(threads)
    place = find_device(device)
    model = Tunable(graph).to(place)
    images = torch.from_numpy(np.array(golden.with_positions(graph, data.images))).to(place)
    labels = torch.from_numpy(data.labels.copy()).to(place)
    scale = _loss_scale(model, images[: 4 * BATCH], labels[: 4 * BATCH])
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    steps = -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * steps)
    begun = time.monotonic()
    for epoch, step, chosen in _batches(len(labels), epochs, seed):
        loss = functional.cross_entropy(model(images[chosen]) * scale, labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        share = (epoch * steps + step + 1) / (epochs * steps)
        left = (time.monotonic() - begun) * (1 / share - 1)
        report(Progress(epoch, step, steps, loss.item(), left))
    return model.cpu().to_graph()


def _batches(images: int, epochs: int, seed: int) -> Iterator[tuple[int, int, Tensor]]:
    random = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        for step, chosen in enumerate(torch.randperm(images, generator=random).split(BATCH)):
            yield epoch, step, chosen


@torch.no_grad()
def _loss_scale(model: Tunable, images: Tensor, labels: Tensor) -> float:
    """The factor of the logits, which a network file lacks, with the least loss."""
    logits = model(images)
    scales = np.geomspace(0.1, 100, 61) / max(float(logits.std()), 1.0)
    losses = [float(functional.cross_entropy(logits * scale, labels)) for scale in scales]
    return float(scales[int(np.argmin(losses))])


def _check(layer: Layer) -> None:
    """Raise `InputError` for a layer that cannot be tuned."""
    neuron = getattr(layer, "neuron", None)
    form = getattr(layer, "form", None)
    what = ""
    if not isinstance(layer, TUNED):
        what = f"kind {layer.KIND}"
    elif neuron is not None and neuron.kind != "lif":
        what = f"neurons of kind {neuron.kind}"
    elif getattr(layer, "threshold_offsets", None) is not None:
        what = "thresholds that differ"
    elif isinstance(layer, Attention | Pooling | Residual) and form not in (
        *("spikformer", "max", "add", "iand"),
    ):
        what = f"{layer.KIND} of form {form}"
    if what:
        raise layer.error(f"no fine-tuning of {what}; import or train with the bits that you want")


def _key(name: str) -> str:
    """The name of a parameter, which has no dots."""
    return name.replace("_", "__").replace(".", "_")
