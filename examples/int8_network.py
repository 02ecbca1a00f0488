"""A whole network without spikes beside the network engine: cycles, and accuracy in integers.

    python examples/int8_network.py                  cycles of each layer, a Markdown table
    python examples/int8_network.py WEIGHTS DIR [N]  accuracy on N test images (all)

The table has `fashion-spikformer` on the engine, the mean of 50 images of the shipped sample, and
a vision transformer of the same sizes on `int8_linear` and `int8_softmax`, all by the exact
formulas. `WEIGHTS` is a network of ``spikeloom train --arch vit`` of the default sizes, `DIR` its
data; its integers are calibrated with 200 training images. The second form needs PyTorch.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from spikeloom.contract import Core
from spikeloom.cores import find_core
from spikeloom.cores.int8_linear import Int8Linear
from spikeloom.cores.int8_softmax import Int8Softmax
from spikeloom.networks import golden
from spikeloom.networks.network import Network
from spikeloom.work import Accesses, Work
from spikeloom_boards.energy import DEFAULT, Estimate, estimate, find_technology
from spikeloom_models.data import fashion_sample, read_data

SHIPPED, TIMED, CALIBRATED = "fashion-spikformer", 50, 200
TOKENS, WIDTH, HIDDEN, HEADS, BLOCKS, CLASSES = 49, 64, 128, 2, 2, 10
PATCH = 32  # inputs of the embedding: 16 pixels and their positions
LOADED = 8  # lanes of the engine on the UP5K, whose weights are loaded
# Lanes of the engine; of `int8_linear`; of `int8_softmax`.
PAIRS = ((8, 8, 4), (8, 16, 4), (64, 22, 11), (64, 64, 11))


def network(linear: int, softmax: int) -> dict[str, tuple[int, Core]]:
    """How often each layer occurs in the vision transformer, all blocks together, and its core."""

    def layer(inputs: int, outputs: int, tokens: int = TOKENS) -> Core:
        return Int8Linear(
            tokens=tokens, input_dim=inputs, output_dim=outputs, lanes=min(linear, inputs)
        )

    attention = Int8Softmax(tokens=TOKENS, head_dim=WIDTH // HEADS, lanes=softmax)
    return {
        "embed": (1, layer(PATCH, WIDTH)),
        "q, k, v": (BLOCKS * 3, layer(WIDTH, WIDTH)),
        "attention": (BLOCKS * HEADS, attention),
        "proj": (BLOCKS, layer(WIDTH, WIDTH)),
        "fc1": (BLOCKS, layer(WIDTH, HIDDEN)),
        "fc2": (BLOCKS, layer(HIDDEN, WIDTH)),
        "head": (1, layer(WIDTH, CLASSES, tokens=1)),
    }


def layers(linear: int, softmax: int) -> dict[str, int]:
    """Cycles of each layer of the vision transformer."""
    return {name: times * core.cycles() for name, (times, core) in network(linear, softmax).items()}


def energy() -> float:
    """Estimated uJ of an image: of all layers, and of their weights that come from a memory of all
    of them, once each."""
    rows, bits = 0.0, 0
    for times, core in network(64, 11).values():
        work = core.work()
        assert work is not None
        rows += times * Estimate(core.NAME, work, find_technology(DEFAULT)).microjoule
        if isinstance(core, Int8Linear):
            bits += times * 8 * core.input_dim * core.output_dim
    weights = Work("weights", accesses=(Accesses("weights", bits, bits),))
    return rows + Estimate("weights", weights, find_technology(DEFAULT)).microjoule


def energy_on_engine() -> float:
    """Estimated uJ of an image, the mean."""
    core = find_core(SHIPPED).from_settings({"lanes": 64})
    found = [estimate(core, image=image) for image in fashion_sample().images[:TIMED]]
    return float(np.mean([one.microjoule for one in found if one is not None]))


def on_engine(lanes: int) -> dict[str, float]:
    """Mean cycles of each layer of the shipped network, all blocks together."""
    core = find_core(SHIPPED)
    assert issubclass(core, Network)
    program = core(lanes=lanes, weights="loaded" if lanes == LOADED else "initial").program
    total = dict.fromkeys(layers(1, 1), 0.0)
    for image in fashion_sample().images[:TIMED]:
        pixels = golden.with_positions(core.GRAPH, image[None])
        spikes = golden.run(core.GRAPH, pixels, keep=True).spikes
        cycles = program.layer_cycles(pixels[0], {name: x[0] for name, x in spikes.items()})
        for name, count in grouped(cycles).items():
            total[name] += count / TIMED
    return total


def grouped(cycles: Mapping[str, int]) -> dict[str, int]:
    """Cycles by the names of `layers`."""
    found: dict[str, int] = {}
    for name, count in cycles.items():
        part = name.rpartition(".")[2]
        group = "q, k, v" if part in ("q", "k", "v") else part
        found[group] = found.get(group, 0) + count
    return found


def print_cycles() -> None:
    engine = {lanes: on_engine(lanes) for lanes in sorted({pair[0] for pair in PAIRS})}
    columns: dict[str, Mapping[str, float]] = {
        f"engine, {lanes} lanes": cycles for lanes, cycles in engine.items()
    }
    for _, linear, softmax in PAIRS:
        columns[f"int8, {linear} lanes, softmax {softmax}"] = layers(linear, softmax)
    print("| layer |", " | ".join(columns), "|\n|---" + len(columns) * "|---" + "|")
    for name in layers(1, 1):
        print(f"| {name} |", " | ".join(f"{one[name]:,.0f}" for one in columns.values()), "|")
    sums = [f"{sum(one.values()):,.0f}" for one in columns.values()]
    print("| sum |", " | ".join(sums), "|")
    print(
        f"\nEstimated energy of an image: {energy_on_engine():.1f} uJ on the engine, "
        f"{energy():.1f} uJ in 8-bit integers"
    )


def print_accuracy(weights: str, folder: str, images: int | None) -> None:
    """In integers, in floating point, and how often both find the same class."""
    import torch
    from safetensors.torch import load_file

    from spikeloom_models.int8_vision import IntegerVision, classes
    from spikeloom_models.torch import VisionTransformer

    model = VisionTransformer().eval()
    model.load_state_dict(load_file(weights))
    test = read_data(folder, "test", CLASSES).first(images)
    network = IntegerVision(model, read_data(folder, "train", CLASSES).images[:CALIBRATED])
    found = classes(network.logits, test.images)
    with torch.no_grad():
        real = classes(lambda part: model(torch.from_numpy(part.copy())).numpy(), test.images)
    print(
        f"{len(test):,} images, right: in integers {100 * np.mean(found == test.labels):.2f} %, in "
        f"floating point {100 * np.mean(real == test.labels):.2f} %; same class "
        f"{100 * np.mean(found == real):.2f} %"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            print_cycles()
        case [weights, folder, *limit]:
            print_accuracy(weights, folder, int(limit[0]) if limit else None)
