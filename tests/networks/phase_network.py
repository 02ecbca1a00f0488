"""Random networks of one-spike phase codes."""

from dataclasses import replace

import numpy as np

from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import (
    Attention,
    Classifier,
    Linear,
    Neurons,
    PatchEmbedding,
    Residual,
)
from spikeloom.networks.neuron import Neuron

PHASE = {"kind": "phase", "shift": 3}


def phase_network(
    steps=20,
    seed=3,
    *,
    image=(4, 6, 1),
    pixel_bits=8,
    dims=6,
    value_dims=None,
    heads=2,
    classes=3,
    blocks=1,
    shift=3,
    threshold=1000,
    weight_bits=8,
):
    """Codes of the image, blocks of attention and of an MLP, a residual stream of currents."""
    rng = np.random.default_rng(seed)
    most = 90 * 2**weight_bits // 256

    def weights(rows, columns):
        return {
            "weight": rng.integers(-most, most + 1, (rows, columns)).astype(np.int8),
            "bias": rng.integers(-99, 100, columns).astype(np.int32),
            "weight_bits": weight_bits,
        }

    none, base = Neuron(kind="none", threshold=1), 2**shift / (2**shift - 1)
    scales = {"base": base, "q": 4.0, "k": 4.0, "v": 4.0, "score": 4.0, "output": 3.0}
    phase = Neuron(kind="phase", threshold=threshold, shift=shift)
    inner = replace(phase, threshold=32 * threshold // 5)
    values = value_dims or dims
    embed = weights(4 * image[2], dims)
    layers = [
        PatchEmbedding(
            name="embed", inputs=("image",), patch=(2, 2), neuron=replace(none, shift=3), **embed
        )
    ]
    stream = "embed"
    for block in range(blocks):
        end = str(block) if block else ""
        names = {name: name + end for name in ("x", "q", "k", "v", "a", "proj", "u", "h")}
        layers.append(Neurons(name=names["x"], inputs=(stream,), neuron=phase))
        for name, width in (("q", dims), ("k", dims), ("v", values)):
            matrix = weights(dims, width)
            layers.append(Linear(name=names[name], inputs=(names["x"],), neuron=inner, **matrix))
        scales = scales | {"score": 4.0 + block}
        layers += [
            Attention(
                name=names["a"],
                inputs=tuple(names[name] for name in "qkv"),
                form="spiked",
                heads=heads,
                scales=scales,
            ),
            Linear(
                name=names["proj"],
                inputs=(names["a"],),
                neuron=replace(none, shift=5),
                **weights(values, dims),
            ),
            Residual(name=names["u"], form="membrane", inputs=(stream, names["proj"])),
        ]
        stream = names["u"]
        if block:
            layers += [
                Linear(
                    name=f"fc{end}",
                    inputs=(names["a"],),
                    neuron=replace(inner, signed=False),
                    **weights(values, 5),
                ),
                Linear(name=f"out{end}", inputs=(f"fc{end}",), neuron=none, **weights(5, dims)),
                Residual(name=f"w{end}", form="membrane", inputs=(stream, f"out{end}")),
            ]
            stream = f"w{end}"
    layers += [
        Neurons(name="h", inputs=(stream,), neuron=replace(phase, signed=False)),
        Classifier(name="head", inputs=("h",), **weights(dims, classes)),
    ]
    return Graph(
        name="phases", steps=steps, image=image, pixel_bits=pixel_bits, layers=tuple(layers)
    )


def changed(graph, name, **fields):
    """The network with other fields of one layer."""
    layers = (replace(x, **fields) if x.name == name else x for x in graph.layers)
    return replace(graph, layers=tuple(layers))
