"""Shipped networks: each loads, is small, and does what its card says."""

import re
from importlib.resources import files

import pytest

from spikeloom.cores import find_core
from spikeloom.networks.file import load
from spikeloom_models.data import fashion_sample, mnist_sample
from spikeloom_models.tasks import assess

FOLDER = files("spikeloom_models.networks")
NETWORKS = sorted(path.name for path in FOLDER.iterdir() if path.name.endswith(".safetensors"))
FLAGSHIP = "fashion-spikformer.safetensors"
SAMPLE = re.compile(r"Right on the first ([\d,]+) images of the sample: ([\d,]+)")
ACCURACY = re.compile(r"([\d.]+) % of 10,000 test images")


def number(text):
    return int(text.replace(",", ""))


def card_of(name):
    return (FOLDER / name).with_suffix(".md").read_text()


def test_networks_are_shipped():
    forms = "a2os2a", "spike-driven", "spiked", "spikformer", "ssa"
    assert {f"fashion-{form}.safetensors" for form in forms} | {"mnist-tiny.safetensors"} == {
        *NETWORKS
    }
    assert sum((FOLDER / name).stat().st_size for name in NETWORKS) < 2_000_000


@pytest.mark.parametrize("name", NETWORKS)
def test_network_has_a_card(name):
    path, card = FOLDER / name, card_of(name)
    graph = load(path)
    assert find_core(graph.name).GRAPH.name == path.stem == graph.name
    for part in ("## Training", "## Data", "## Licence", "spikeloom train"):
        assert part in card, part
    assert f"{graph.weights:,} weights and biases" in card
    assert f"accumulators of {graph.accumulator_bits} bits" in card


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name == FLAGSHIP else pytest.mark.long) for name in NETWORKS],
)
def test_network_does_what_its_card_says(name):
    graph, card = load(FOLDER / name), card_of(name)
    data = mnist_sample() if name.startswith("mnist") else fashion_sample()
    count, right = map(number, SAMPLE.search(card).groups())
    found = assess(graph, data.first(count), jobs=1)
    assert round(found.accuracy * count) == right
    share = float(ACCURACY.search(card)[1]) / 100
    assert abs(found.accuracy - share) < 4 * (share * (1 - share) / count) ** 0.5
    for layer, rate in re.findall(r"^\| (\S+) \| ([\d.]+) \|", card, re.MULTILINE):
        assert 100 * found.layers[layer].ones == pytest.approx(float(rate), rel=0.2, abs=0.5), layer
