"""Shipped networks: each loads, is small, and does what its card says."""

import re
from importlib.resources import files

import pytest

from spikeloom.cores import find_core
from spikeloom.networks.file import load
from spikeloom_models.data import Labelled, fashion_sample
from spikeloom_models.tasks import assess

FOLDER = files("spikeloom_models.networks")
NETWORKS = sorted(path.name for path in FOLDER.iterdir() if path.name.endswith(".safetensors"))
SAMPLE = re.compile(r"Right on the first ([\d,]+) images of the sample: ([\d,]+)")
ACCURACY = re.compile(r"([\d.]+) % of 10,000 test images")


def number(text):
    return int(text.replace(",", ""))


def test_networks_are_shipped():
    assert "fashion-spikformer.safetensors" in NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
def test_network_does_what_its_card_says(name):
    path = FOLDER / name
    card = (FOLDER / name).with_suffix(".md").read_text()
    graph = load(path)
    assert path.stat().st_size < 1_000_000
    assert find_core(graph.name).GRAPH.name == path.stem == graph.name
    for part in ("## Training", "## Data", "## Licence", "spikeloom train"):
        assert part in card, part
    assert f"{graph.weights:,} weights and biases" in card
    assert f"accumulators of {graph.accumulator_bits} bits" in card
    count, right = map(number, SAMPLE.search(card).groups())
    sample = fashion_sample()
    found = assess(graph, Labelled(sample.images[:count], sample.labels[:count]), jobs=1)
    assert round(found.accuracy * count) == right
    assert abs(found.accuracy - float(ACCURACY.search(card)[1]) / 100) < 0.04
    for layer, rate in re.findall(r"^\| (\S+) \| ([\d.]+) \|", card, re.MULTILINE):
        assert 100 * found.layers[layer].ones == pytest.approx(float(rate), rel=0.1, abs=0.5), layer
