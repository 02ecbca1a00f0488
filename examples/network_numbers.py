"""Cycles and additions of the network engine, for networks of several sizes.

    python examples/network_numbers.py                  all rows
    python examples/network_numbers.py mnist tokens64   only these

Prints Markdown tables. Cycles are those of the exact formula, the mean of a few images; images/s
are those of a long sequence of them without pauses.

`fashion` is the shipped network. The others have random weights, and thresholds at which each kind
of layer spikes as often as in the shipped network: their figures are those of size and density, and
their classes mean nothing. Images are those of Fashion-MNIST, padded with zeros or cut.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.cores import find_core
from spikeloom.networks import golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.engine.sequence import sequence_cycles
from spikeloom.networks.graph import INPUT, Graph
from spikeloom.networks.layers import Attention, Classifier, Layer, Linear, PatchEmbedding, Residual
from spikeloom.networks.neuron import Neuron
from spikeloom_models.data import fashion_sample

SHIPPED = "fashion-spikformer"
SHIPPED_IMAGES, IMAGES = 50, 4  # of the shipped network, and of one with random weights
SEQUENCE = 4000  # images, in random order
CALIBRATED = 2  # images for which thresholds are chosen


@dataclass(frozen=True)
class Row:
    """A network on an engine.

    Parameters
    ----------
    what : description. device : where it fits.
    shape : arguments of `spikformer`; None for the shipped network.
    lanes : of an engine. weights : "loaded" or "initial". engines : side by side.
    mhz : clock of the times.
    block : only the layers of the block count.
    """

    what: str
    device: str
    shape: dict[str, Any] | None
    lanes: int
    weights: str
    mhz: float
    block: bool = False
    engines: int = 1


TINY = {
    "patch": (7, 7),
    "dims": 48,
    "blocks": 1,
    "heads": 1,
    "hidden": 64,
    "steps": 3,
    "pixel_bits": 4,
}
SPIKFORMER = {
    "image": (32, 32, 3),
    "patch": (4, 4),
    "dims": 384,
    "blocks": 1,
    "heads": 12,
    "hidden": 1536,
    "residual": "add",
}
DEEP = {
    "image": (32, 32, 1),
    "patch": (4, 4),
    "dims": 128,
    "blocks": 4,
    "heads": 4,
    "hidden": 256,
    "bits": 4,
}
ROWS = {
    "fashion": Row("`fashion-spikformer`, int8", "UP5K", None, 8, "loaded", 48),
    "int4": Row("its sizes, int4", "UP5K", {"bits": 4}, 16, "loaded", 42),
    "mnist": Row("16 tokens of 7x7, D = 48, one block, T = 3", "UP5K", TINY, 8, "loaded", 48),
    "fashion64": Row("`fashion-spikformer`, int8", "LFE5U-25F", None, 64, "initial", 100),
    "fashion4": Row("`fashion-spikformer`, int8", "LFE5U-85F", None, 64, "initial", 80, engines=4),
    "tokens64": Row(
        "64 tokens, D = 128, 4 blocks, MLP 256, int4", "LFE5U-85F", DEEP, 128, "initial", 88
    ),
    "tokens64x2": Row(
        "64 tokens, D = 128, 4 blocks, MLP 256, int4",
        "LFE5U-85F",
        DEEP,
        64,
        "initial",
        60,
        engines=2,
    ),
    "spikformer64": Row(
        "encoder block of Spikformer-1-384",
        "simulated",
        SPIKFORMER,
        64,
        "initial",
        100,
        block=True,
    ),
    "spikformer": Row(
        "encoder block of Spikformer-1-384",
        "simulated",
        SPIKFORMER,
        128,
        "initial",
        100,
        block=True,
    ),
}


def spikformer(
    *,
    image: tuple[int, int, int] = (28, 28, 1),
    patch: tuple[int, int] = (4, 4),
    dims: int = 64,
    blocks: int = 2,
    heads: int = 2,
    hidden: int = 128,
    bits: int = 8,
    residual: str = "iand",
    steps: int = 4,
    pixel_bits: int = 8,
) -> Graph:
    """A network of random weights whose layers spike as often as those of the shipped network."""
    rng = np.random.default_rng(1)
    half, step = 1 << (bits - 1), 1 << max(1, bits - 5)

    def weights(rows: int, columns: int) -> dict[str, Any]:
        weight = np.clip(np.rint(rng.normal(0, half / 6, (rows, columns))), -half, half - 1)
        bias = np.rint(rng.normal(0, half / 12, columns)) * step
        return {
            "weight": weight.astype(np.int8),
            "bias": bias.astype(np.int32),
            "weight_bits": bits,
        }

    neuron = Neuron(threshold=2 * step)
    layers: list[Layer] = [
        PatchEmbedding(
            name="embed",
            inputs=(INPUT,),
            patch=patch,
            neuron=neuron,
            **weights(patch[0] * patch[1] * image[2], dims),
        )
    ]

    def linear(name: str, source: str, rows: int, columns: int) -> str:
        layers.append(Linear(name=name, inputs=(source,), neuron=neuron, **weights(rows, columns)))
        return name

    x = "embed"
    for n in range(blocks):
        block = f"block{n}."
        qkv = tuple(linear(block + one, x, dims, dims) for one in "qkv")
        attention = Attention(
            name=block + "attention", inputs=qkv, form="spikformer", heads=heads, neuron=neuron
        )
        layers.append(attention)
        branch = linear(block + "proj", attention.name, dims, dims)
        layers.append(Residual(name=block + "x1", inputs=(x, branch), form=residual))
        branch = linear(block + "fc1", block + "x1", dims, hidden)
        branch = linear(block + "fc2", branch, hidden, dims)
        x = block + "x2"
        layers.append(Residual(name=x, inputs=(block + "x1", branch), form=residual))
    layers.append(Classifier(name="head", inputs=(x,), **weights(dims, 10)))
    name = f"random-{dims}-{blocks}"
    graph = Graph(name=name, steps=steps, image=image, pixel_bits=pixel_bits, layers=tuple(layers))
    return calibrated(graph, 2 * step)


def calibrated(graph: Graph, unit: int) -> Graph:
    """The network with thresholds, multiples of `unit` (of attention, of 2), at which its layers
    spike as often as those of the shipped network with the same role."""
    values: dict[str, NDArray] = {INPUT: images(graph)[:CALIBRATED] >> (8 - graph.pixel_bits)}
    layers = []
    for layer in graph.layers:
        sources, inputs = graph.sources(layer), [values[name] for name in layer.inputs]
        if hasattr(layer, "neuron"):
            own = 2 if isinstance(layer, Attention) else unit
            layer = _with_threshold(layer, sources, inputs, densities()[role(layer)], own)
        values[layer.name] = layer.compute(sources, inputs)
        layers.append(layer)
    return replace(graph, layers=tuple(layers))


def _with_threshold(layer: Any, sources: Any, inputs: Any, density: float, unit: int) -> Any:
    """The layer with the lowest threshold at which at most `density` of its neurons spike."""
    low, high = 1, 2
    while _share(layer, sources, inputs, unit * high) > density:
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        if _share(layer, sources, inputs, unit * middle) > density:
            low = middle + 1
        else:
            high = middle
    return replace(layer, neuron=Neuron(threshold=unit * high))


def _share(layer: Any, sources: Any, inputs: Any, threshold: int) -> float:
    return float(replace(layer, neuron=Neuron(threshold=threshold)).compute(sources, inputs).mean())


def shipped() -> Graph:
    """The shipped network."""
    core: Any = find_core(SHIPPED)
    return core.GRAPH


def role(layer: Layer) -> str:
    """What a layer is for in its block."""
    return layer.name.rpartition(".")[2]


@cache
def densities() -> dict[str, float]:
    """Share of neurons that spike in the shipped network, by role."""
    graph = shipped()
    found: dict[str, list[float]] = {}
    for name, spikes in golden.run(graph, images(graph, SHIPPED_IMAGES), keep=True).spikes.items():
        found.setdefault(role(graph.layer(name)), []).append(float(spikes.mean()))
    return {name: sum(means) / len(means) for name, means in found.items()}


def images(graph: Graph, count: int = IMAGES) -> NDArray:
    """`count` images of the sample of Fashion-MNIST, of the size of the network's."""
    rows, columns, channels = graph.image
    channels -= graph.embedding.position
    pixels = fashion_sample().images[:count]
    y, x = rows - pixels.shape[1], columns - pixels.shape[2]
    padded = np.pad(pixels, ((0, 0), (y // 2, y - y // 2), (x // 2, x - x // 2), (0, 0)))
    return np.repeat(padded, channels, axis=3)


def dense_additions(graph: Graph) -> dict[str, int]:
    """Additions of an image, by layer, if every input were 1."""
    found = {}
    for layer in graph.layers:
        sources = graph.sources(layer)
        inputs = []
        for name in layer.inputs:
            if name == INPUT:
                inputs.append(np.full((1, *graph.image), 255 >> (8 - graph.pixel_bits), np.uint8))
            else:
                signal: Any = graph.signals[name]
                inputs.append(np.ones((1, signal.steps, signal.tokens, signal.dims), np.uint8))
        found[layer.name] = int(layer.additions(sources, inputs)[0])
    return found


@dataclass(frozen=True)
class Numbers:
    """Of an image: cycles of an engine, cycles between images of a sequence, additions with nonzero
    operands, and with all."""

    cycles: int
    between: float
    additions: int
    dense: int


def numbers(row: Row, count: int | None = None) -> Numbers:
    """The figures of a row, the mean of `count` images."""
    graph = shipped() if row.shape is None else spikformer(**row.shape)
    program = compile_network(graph, lanes=row.lanes, weights=row.weights)
    count = count or (SHIPPED_IMAGES if row.shape is None else IMAGES)
    batch = golden.with_positions(graph, images(graph, count))
    result = golden.run(graph, batch, keep=True)
    cycles, times = 0.0, []
    for n, image in enumerate(batch):
        spikes = {name: array[n] for name, array in result.spikes.items()}
        if row.block:
            found = program.layer_cycles(image, spikes)
            cycles += sum(count for name, count in found.items() if name.startswith("block"))
        else:
            times.append(program.image_time(image, spikes))
            cycles += times[-1].cycles
    between = cycles / len(batch)
    if times:
        order = np.random.default_rng(0).permutation(np.arange(SEQUENCE) % len(times))
        labels = sequence_cycles([times[n] for n in order], row.engines)
        between = (labels[-1] - labels[row.engines - 1]) / (SEQUENCE - row.engines)
    dense = dense_additions(graph)
    counted = [name for name in dense if name.startswith("block") or not row.block]
    return Numbers(
        round(cycles / len(batch)),
        between,
        round(sum(float(result.additions[name].mean()) for name in counted)),
        sum(dense[name] for name in counted),
    )


def table(names: Sequence[str]) -> str:
    """Rows of Markdown: cycles, time, images/s, and additions in a cycle."""
    lines = [
        "| network | device | engines x lanes | cycles | MHz | us | images/s | additions "
        "| in a cycle | with zeros | in a cycle |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in names:
        row = ROWS[name]
        found = numbers(row)
        us = found.cycles / row.mhz
        lines.append(
            f"| {row.what} | {row.device} | {row.engines} x {row.lanes} | {found.cycles:,} "
            f"| {row.mhz:g} | {us:,.0f} | {1e6 * row.mhz / found.between:,.0f} "
            f"| {found.additions:,} | {found.additions / found.between:.1f} | {found.dense:,} "
            f"| {found.dense / found.between:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the rows named on the command line, or all."""
    names = sys.argv[1:] or list(ROWS)
    for name in names:
        if name not in ROWS:
            sys.exit(f"unknown row {name!r}; rows: {', '.join(ROWS)}")
    print(table(names))


if __name__ == "__main__":
    main()
