"""What a network's card and the table of shipped networks say, measured.

    python examples/network_card.py NETWORK DIR [SAMPLE]  the measured part of a card, in Markdown
    python examples/network_card.py --row NETWORK DIR     a row of the table in docs/accuracy.md

`NETWORK` is a name or a file, `DIR` its data, as for `spikeloom train --data`, and `SAMPLE` the
number of images of the shipped sample that a test of the card runs (400). Accuracy and activity are
those of all test images; cycles are by the exact formula, the mean of the first 50.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from spikeloom.cores import find_core
from spikeloom.networks.network import Network
from spikeloom_models.data import Labelled, fashion_sample, mnist_sample, read_data
from spikeloom_models.tasks import Trained, assess

TIMED = 50
LANES = (8, 64)


def main(arguments: list[str]) -> None:
    row = arguments[:1] == ["--row"]
    name, folder, *rest = arguments[row:]
    core = find_core(name)
    assert issubclass(core, Network)
    data = read_data(folder, "test", len(core.GRAPH.classes))
    print_row(core, data) if row else print_card(core, data, *map(int, rest))


def print_row(core: type[Network], data: Labelled) -> None:
    """Name, form of the attention, steps, accuracy, cycles and additions of an image."""
    graph, found = core.GRAPH, assess(core.GRAPH, data)
    forms = {getattr(layer, "form", "") for layer in graph.layers if layer.KIND == "attention"}
    cycles = [mean_cycles(core, lanes, data.images) for lanes in LANES]
    cells = [
        *(f"`{core.NAME}`", ", ".join(sorted(forms)), f"{graph.steps}"),
        f"{100 * found.accuracy:.2f}",
        *("" if one is None else f"{one:,.0f}" for one in cycles),
        f"{sum(layer.additions for layer in found.layers.values()):,.0f}",
    ]
    print("|", " | ".join(cells), "|")


def print_card(core: type[Network], data: Labelled, sampled: int = 400) -> None:
    """Sizes, accuracy, cycles, and the activity of each layer."""
    graph, found = core.GRAPH, assess(core.GRAPH, data)
    print(
        f"It has {graph.weights:,} weights and biases; its sums need accumulators of "
        f"{graph.accumulator_bits} bits.\n"
    )
    print(f"Accuracy, in integers: {100 * found.accuracy:.2f} % of {len(data):,} test images.")
    sample = (mnist_sample() if graph.name.startswith("mnist") else fashion_sample()).first(sampled)
    right = round(len(sample) * assess(graph, sample).accuracy)
    print(f"Right on the first {len(sample)} images of the sample: {right}.")
    cycles = {lanes: mean_cycles(core, lanes, data.images) for lanes in LANES}
    if all(cycles.values()):
        counts = ", ".join(f"{count:,.0f} on {lanes} lanes" for lanes, count in cycles.items())
        print(f"\nCycles of an image, mean of the first {TIMED} test images: {counts}.")
    print_layers(found)


def print_layers(found: Trained) -> None:
    print("\n| layer | ones, % | additions |\n|---|---|---|")
    for name, layer in found.layers.items():
        print(f"| {name} | {100 * layer.ones:.1f} | {layer.additions:,.0f} |")


def mean_cycles(core: type[Network], lanes: int, images: NDArray) -> float | None:
    """Mean cycles of an image on an engine; None if the engine does not run the network."""
    one = core(lanes=lanes)
    if one.refusal:
        return None
    return float(np.mean([one.cycles(image=image) for image in images[:TIMED]]))


if __name__ == "__main__":
    main(sys.argv[1:])
