"""Random networks that begin with convolutions, as Spikformer's own stem does."""

from dataclasses import replace

import numpy as np

from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import Classifier, Convolution, Pooling, Residual
from tests.networks.random_network import Builder


def with_border(graph, border):
    """The network with these pixels outside of the image in its first convolution."""
    first, *layers = graph.layers
    assert isinstance(first, Convolution)
    return replace(graph, layers=(replace(first, border=border), *layers))


def stem_network(
    *,
    steps=2,
    image=(8, 6, 3),
    pixel_bits=8,
    widths=(3, 4, 6, 8),
    kernel=(3, 3),
    pooled=2,
    heads=2,
    hidden=5,
    classes=3,
    leak=1,
    reset="hard",
    residual="add",
    weight_bits=8,
    stride=(1, 1),
    seed=1,
    name="random-stem",
):
    """Convolutions of `widths` channels, with a pooling behind each of the last `pooled`; then the
    spikes of one more convolution are added, and a block of attention and MLP follows."""
    build = Builder(np.random.default_rng(seed), weight_bits, leak, reset)
    layers = build.layers
    padding = kernel[0] // 2, kernel[1] // 2

    def convolution(name, source, channels, outputs, high, stride=(1, 1)):
        rows = kernel[0] * kernel[1] * channels
        spread = (1 << (weight_bits - 1)) * high * rows**0.5 / 4
        layers.append(
            Convolution(
                name=name,
                inputs=(source,),
                kernel=kernel,
                stride=stride,
                padding=padding,
                weight=build.weight(rows, outputs),
                bias=build.bias(outputs, int(spread / 4)),
                weight_bits=weight_bits,
                neuron=build.neuron(spread),
            )
        )
        return name

    x, channels = "image", image[2]
    for n, width in enumerate(widths):
        high = 1 << pixel_bits if n == 0 else 1
        x = convolution(f"stem.conv{n}", x, channels, width, high, stride if n == 0 else (1, 1))
        channels = width
        if n >= len(widths) - pooled:
            pool = Pooling(
                name=f"stem.pool{n}",
                inputs=(x,),
                form="max",
                kernel=(3, 3),
                stride=(2, 2),
                padding=(1, 1),
            )
            layers.append(pool)
            x = pool.name
    rpe = convolution("stem.rpe", x, channels, channels, 1)
    layers.append(Residual(name="stem.x", inputs=(x, rpe), form="add"))
    x = "stem.x"
    for operand in "qkv":
        build.linear(operand, x, channels, channels)
    build.attention("attention", ("q", "k", "v"), "spikformer", heads, 4, channels)
    build.linear("proj", "attention", channels, channels)
    build.residual("x1", residual, x, "proj")
    build.linear("fc1", "x1", channels, hidden)
    build.linear("fc2", "fc1", hidden, channels)
    build.residual("x2", residual, "x1", "fc2")
    head = Classifier(
        name="head",
        inputs=("x2",),
        weight=build.weight(channels, classes),
        bias=build.bias(classes, 100),
        weight_bits=weight_bits,
    )
    layers = (*layers, head)
    return Graph(name=name, steps=steps, image=image, pixel_bits=pixel_bits, layers=layers)
