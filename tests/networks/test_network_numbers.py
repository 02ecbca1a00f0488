"""The figures of networks of other sizes, which `examples/network_numbers.py` prints."""

import pytest
from examples.network_numbers import (
    CALIBRATED,
    ROWS,
    SPIKFORMER,
    TINY,
    densities,
    images,
    numbers,
    role,
    spikformer,
)

from spikeloom.networks import golden


def closed_form(*, tokens, pixels, planes, dims, blocks, head, hidden, steps):
    """Additions of all inputs: embedding, blocks and a classifier of ten classes."""
    block = 4 * dims**2 + 2 * dims * hidden + 2 * dims * head
    embedding = tokens * pixels * planes * dims
    return embedding + steps * tokens * (blocks * block + 10 * dims)


def test_mnist():
    """An image takes less than 780 us on a UP5K."""
    found = numbers(ROWS["mnist"])
    assert found.cycles / ROWS["mnist"].mhz < 780
    sizes = {"tokens": 16, "pixels": 49, "planes": 4, "dims": 48, "head": 48, "hidden": 64}
    assert found.dense == closed_form(**sizes, blocks=1, steps=3)
    assert 5 < found.additions / found.cycles < 8  # of 8 lanes


def test_fashion_on_64_lanes():
    """At least 2,000 images/s at 100 MHz, and most lanes add in most cycles."""
    found = numbers(ROWS["fashion64"], 4)
    assert found.cycles <= 50_000
    sizes = {"tokens": 49, "pixels": 32, "planes": 6, "dims": 64, "head": 32, "hidden": 128}
    assert found.dense == closed_form(**sizes, blocks=2, steps=4)


def test_densities():
    """Random networks spike as often as the shipped one, within the steps of thresholds."""
    graph = spikformer(**TINY)

    spikes = golden.run(graph, images(graph)[:CALIBRATED], keep=True).spikes
    for layer in graph.layers:
        if hasattr(layer, "neuron"):
            wanted = densities()[role(layer)]
            assert wanted - 0.08 < spikes[layer.name].mean() <= wanted


@pytest.mark.slow
def test_large_networks():
    """450 images/s of 64 tokens and D = 128 with 128 lanes; the block of Spikformer-1-384."""
    found = numbers(ROWS["tokens64"])
    assert found.cycles < 100e6 / 450
    sizes = {"tokens": 64, "pixels": 16, "planes": 8, "dims": 128, "head": 32, "hidden": 256}
    assert found.dense == closed_form(**sizes, blocks=4, steps=4)
    found = numbers(ROWS["spikformer"])
    dims, hidden = SPIKFORMER["dims"], SPIKFORMER["hidden"]
    assert found.dense == 4 * 64 * (4 * dims**2 + 2 * dims * hidden + 2 * dims * 32)
