"""Random networks of any size, for tests of everything that takes a network."""

from dataclasses import replace

import numpy as np

from spikeloom.networks import golden
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import (
    Attention,
    Classifier,
    Convolution,
    Linear,
    PatchEmbedding,
    Residual,
)
from spikeloom.networks.neuron import Neuron

A2OS2A = {"a2os2ak": {"kind": "relu", "bits": 3}, "a2os2av": {"kind": "ternary"}}


class Builder:
    """Adds layers with random weights, and thresholds at which a part of the neurons fires."""

    def __init__(self, rng, weight_bits, leak, reset):
        self.rng, self.weight_bits, self.leak, self.reset = rng, weight_bits, leak, reset
        self.layers = []

    def neuron(self, threshold, kind="lif", bits=1):
        threshold = max(1, int(threshold))
        threshold += threshold % 2 * self.leak
        if kind == "relu":
            return Neuron(threshold=threshold, kind=kind, bits=bits)
        reset = self.reset
        if reset == "mixed":
            reset = ("soft", "hard")[len(self.layers) % 2]
        return Neuron(threshold=threshold, leak=self.leak, reset=reset, kind=kind)

    def weight(self, rows, columns):
        half = 1 << (self.weight_bits - 1)
        return self.rng.integers(-half, half, (rows, columns)).astype(np.int8)

    def bias(self, columns, spread):
        return self.rng.integers(-spread, spread + 1, columns).astype(np.int32)

    def embed(self, name, patch, pixels, dims, pixel_bits):
        spread = (1 << (self.weight_bits - 1)) * (1 << pixel_bits) * pixels**0.5 / 4
        self.layers.append(
            PatchEmbedding(
                name=name,
                inputs=("image",),
                patch=patch,
                weight=self.weight(pixels, dims),
                bias=self.bias(dims, int(spread / 4)),
                weight_bits=self.weight_bits,
                neuron=self.neuron(spread),
            )
        )

    def linear(self, name, source, rows, columns, **neuron):
        spread = (1 << (self.weight_bits - 1)) * rows**0.5 / 4
        self.layers.append(
            Linear(
                name=name,
                inputs=(source,),
                weight=self.weight(rows, columns),
                bias=self.bias(columns, int(spread / 4)),
                weight_bits=self.weight_bits,
                neuron=self.neuron(spread, **neuron),
            )
        )

    def attention(self, name, sources, form, heads, tokens, dims):
        threshold = max(2, tokens * dims // heads // 100)
        if form == "spike-driven":
            threshold = max(2, tokens // 4)
        fields = {"neuron": self.neuron(threshold)}
        if form == "ssa":
            fields = {"seed": len(self.layers)}
        self.layers.append(Attention(name=name, inputs=sources, form=form, heads=heads, **fields))

    def residual(self, name, form, *sources):
        self.layers.append(Residual(name=name, inputs=sources, form=form))


def random_network(
    *,
    steps=4,
    image=(28, 28, 1),
    patch=(4, 4),
    pixel_bits=8,
    dims=64,
    value_dims=None,
    blocks=2,
    heads=2,
    hidden=128,
    classes=10,
    weight_bits=8,
    leak=1,
    reset="hard",
    residual="iand",
    attention=True,
    form="spikformer",
    seed=1,
    name="random-network",
):
    """A network of patch embedding, `blocks` blocks (attention and MLP) and classifier.

    The defaults are the sizes of fashion-spikformer. `value_dims`: dims of V (default: `dims`).
    `reset` "mixed" alternates from layer to layer; `form` is that of attention.
    """
    rng = np.random.default_rng(seed)
    build = Builder(rng, weight_bits, leak, reset)
    pixels = patch[0] * patch[1] * image[2]
    tokens = (image[0] // patch[0]) * (image[1] // patch[1])
    values = value_dims or dims
    build.embed("embed", patch, pixels, dims, pixel_bits)
    x = "embed"
    for n in range(blocks):
        block = f"block{n}."
        if attention:
            for operand, width in (("q", dims), ("k", dims), ("v", values)):
                build.linear(block + operand, x, dims, width, **A2OS2A.get(form + operand, {}))
            qkv = tuple(block + operand for operand in "qkv")
            build.attention(block + "attention", qkv, form, heads, tokens, dims)
            build.linear(block + "proj", block + "attention", values, dims)
            build.residual(block + "x1", residual, x, block + "proj")
            x = block + "x1"
        build.linear(block + "fc1", x, dims, hidden)
        build.linear(block + "fc2", block + "fc1", hidden, dims)
        build.residual(block + "x2", residual, x, block + "fc2")
        x = block + "x2"
    head = Classifier(
        name="head",
        inputs=(x,),
        weight=build.weight(dims, classes),
        bias=build.bias(classes, 100),
        weight_bits=weight_bits,
    )
    layers = (*build.layers, head)
    graph = Graph(name=name, steps=steps, image=image, pixel_bits=pixel_bits, layers=layers)
    # Logits around 0, so that all classes occur.
    mean = golden.run(graph, random_images(graph, 16, seed)).logits.mean(0)
    head = replace(head, bias=head.bias - mean.astype(np.int32))
    return replace(graph, layers=(*build.layers, head))


def with_offsets(graph, seed=1, spread=0.7):
    """The network with thresholds of their own for the outputs of layers with weights and neurons
    lif, except the first: up to `spread` of the threshold above and below it."""
    rng = np.random.default_rng(seed)
    layers = []
    for n, layer in enumerate(graph.layers):
        neuron = getattr(layer, "neuron", None)
        if isinstance(layer, Linear | Convolution) and neuron.kind == "lif" and n:
            most, step = int(spread * neuron.threshold), 1 + neuron.leak
            offsets = rng.integers(-most, most + 1, layer.outputs) // step * step
            offsets = np.maximum(offsets, step - neuron.threshold)
            layer = replace(layer, threshold_offsets=offsets.astype(np.int32))
        layers.append(layer)
    return replace(graph, layers=tuple(layers))


def random_images(graph, count, seed=1, density=0.5):
    """Images (count, Y, X, C) of uint8 with about `density` nonzero pixels."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, *graph.image), np.uint8)
    return images * (rng.random(images.shape) < density).astype(np.uint8)
