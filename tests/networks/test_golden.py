"""The golden model of networks equals a slow model of the equations, and its bounds hold."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.networks import golden
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import Classifier, Linear, PatchEmbedding, Residual
from spikeloom.networks.neuron import Neuron

from . import reference
from .random_network import random_images, random_network

SMALL = {"image": (4, 6, 1), "patch": (2, 2), "dims": 6, "hidden": 5, "classes": 3, "blocks": 1}
NETWORKS = {
    "small": SMALL,
    "one step": SMALL | {"steps": 1},
    "sixteen steps": SMALL | {"steps": 16, "leak": 0},
    "one token": SMALL | {"patch": (4, 6)},
    "a pixel a patch": SMALL | {"image": (3, 2, 1), "patch": (1, 1)},
    "colour": SMALL | {"image": (4, 4, 3), "pixel_bits": 5},
    "one bit a pixel": SMALL | {"pixel_bits": 1},
    "one neuron": SMALL | {"dims": 1, "heads": 1, "hidden": 1, "classes": 1},
    "four bits": SMALL | {"weight_bits": 4},
    "six bits, no leak": SMALL | {"weight_bits": 6, "leak": 0},
    "soft reset": SMALL | {"reset": "soft"},
    "soft reset, no leak": SMALL | {"reset": "soft", "leak": 0},
    "added spikes": SMALL | {"residual": "add"},
    "added spikes, three blocks": SMALL | {"residual": "add", "blocks": 3},
    "wide values": SMALL | {"value_dims": 9, "heads": 3},
    "spike-driven": SMALL | {"form": "spike-driven", "residual": "add"},
    "spike-driven, soft reset": SMALL | {"form": "spike-driven", "reset": "soft", "steps": 7},
    "a2os2a": SMALL | {"form": "a2os2a", "steps": 6},
    "a2os2a, soft reset, no leak": SMALL
    | {"form": "a2os2a", "reset": "soft", "leak": 0, "value_dims": 8, "residual": "add"},
    "no attention": SMALL | {"attention": False, "blocks": 2},
}


@pytest.mark.parametrize("case", NETWORKS)
def test_golden_is_the_equations(case):
    for seed in range(2):
        graph = random_network(**NETWORKS[case], seed=seed)
        images = random_images(graph, 4, seed, density=0.7)
        images[2:] = [[[[0]]], [[[255]]]]
        result = golden.run(graph, images, keep=True)
        for n, image in enumerate(images):
            expected = reference.run(graph, image)
            for name, spikes in result.spikes.items():
                assert np.array_equal(spikes[n], expected[name]), (name, n)
                assert result.counts[name][n] == np.abs(expected[name]).sum()
            assert np.array_equal(result.logits[n], expected["head"])
            assert result.labels[n] == list(expected["head"]).index(max(expected["head"]))
    assert result.logits.dtype == np.int32


@pytest.mark.parametrize("case", NETWORKS)
def test_random_networks_fire(case):
    """Otherwise the comparison would say little."""
    graph = random_network(**NETWORKS[case])
    result = golden.run(graph, random_images(graph, 20))
    quiet = [name for name, count in result.counts.items() if not count.any()]
    allowed = {"one neuron": 6, "one token": 2}  # few operands, so few spikes
    assert len(quiet) <= allowed.get(case, 1), quiet


def one_neuron(weight, bias, neuron, steps, summands=1):
    """A pixel that drives one neuron; the classifier reads `summands` times its spikes."""
    ones = np.ones((1, 1), np.int8)
    embed = PatchEmbedding(
        name="embed",
        inputs=("image",),
        patch=(1, 1),
        weight=weight * ones,
        bias=np.array([bias]),
        neuron=neuron,
    )
    layers, last = [embed], "embed"
    if summands > 1:
        layers.append(Residual(name="sum", inputs=(last,) * summands, form="add"))
        last = "sum"
    layers.append(Classifier(name="head", inputs=(last,), weight=5 * ones, bias=np.array([1])))
    return Graph(name="neuron", steps=steps, image=(1, 1, 1), layers=tuple(layers))


def test_ties_fire_and_negative_membranes_round_down():
    """Known answers. v = 4 fires at threshold 4; -3 >> 1 is -2, so v = -3, -5, -6, -6."""
    fires = one_neuron(1, 0, Neuron(threshold=4), 3)
    spikes = golden.run(fires, np.full((1, 1, 1, 1), 4), keep=True).spikes["embed"]
    assert spikes.ravel().tolist() == [1, 1, 1]
    spikes = golden.run(fires, np.full((1, 1, 1, 1), 3), keep=True).spikes["embed"]
    assert spikes.ravel().tolist() == [0, 1, 0]  # v = 3, 1 + 3, 3
    falls = one_neuron(-3, 0, Neuron(threshold=4), 4)
    assert golden.run(falls, np.ones((1, 1, 1, 1), int)).counts["embed"].tolist() == [0]
    assert falls.bounds["embed"].membrane.low == -1435  # -765, -383 - 765, -574 - 765, ...


def test_resets():
    """v = 7, then 0 + 7 after a hard reset, or 3 + 7 and 6 + 7 after soft ones."""
    image = np.full((1, 1, 1, 1), 7)
    for reset, high in (("hard", 258), ("soft", 255 * 3 - 2 * 4)):
        graph = one_neuron(1, 0, Neuron(threshold=4, leak=0, reset=reset), 3)
        assert golden.run(graph, image, keep=True).spikes["embed"].ravel().tolist() == [1, 1, 1]
        assert graph.bounds["embed"].membrane.high == high


def test_the_first_of_equal_logits_wins():
    graph = random_network(**SMALL)
    head = replace(graph.classifier, weight=np.zeros((6, 3), int), bias=np.array([1, 7, 7]))
    tied = Graph(name="tied", steps=4, image=(4, 6, 1), layers=(*graph.layers[:-1], head))
    assert golden.run(tied, random_images(tied, 4)).labels.tolist() == [1] * 4


@pytest.mark.parametrize("case", NETWORKS)
def test_bounds_hold(case):
    """Of every layer, on images and on the spikes that make a sum extreme."""
    graph = random_network(**NETWORKS[case])
    for layer in graph.layers:
        if not isinstance(layer, Linear) or layer.neuron.kind != "lif":
            continue
        (source,) = graph.sources(layer)
        neuron, bounds = layer.neuron, graph.bounds[layer.name]
        seen = []
        for sign in (-1, 1):
            for o in range(layer.outputs):
                x = np.where(layer.weight[:, o] * sign > 0, source.high, 0)
                current = int(x @ layer.weight[:, o].astype(int) + layer.bias[o])
                v = 0
                for _ in range(graph.steps):
                    v = (v >> neuron.leak) + current
                    seen.append(v)
                    if v >= neuron.threshold:
                        v = 0 if neuron.reset == "hard" else v - neuron.threshold
        assert min(seen) == bounds.membrane.low  # nothing but the least current in every step
        assert max(seen) <= bounds.membrane.high
        assert bounds.accumulator.low == bounds.membrane.low - neuron.threshold


def test_bounds_of_attention_are_reached():
    graph = random_network(**SMALL)
    bounds = graph.bounds["block0.attention"]
    assert (bounds.state.high, bounds.current.high) == (6, 6 * 3)  # tokens; times dims of a head


def test_additions_are_counted():
    """By the equations: a weight for each spike and output."""
    graph = random_network(**SMALL)
    image = random_images(graph, 1)
    result = golden.run(graph, image, keep=True)
    spikes = {name: array[0].astype(int) for name, array in result.spikes.items()}
    found = {name: int(counts[0]) for name, counts in result.additions.items()}
    assert found["block0.fc1"] == spikes["block0.x1"].sum() * 5
    assert found["head"] == spikes["block0.x2"].sum() * 3
    assert found["embed"] == sum(int(p).bit_count() for p in image.ravel()) * 6
    k, v = (np.split(spikes[f"block0.{name}"], 2, axis=2) for name in "kv")
    learnt = sum(np.einsum("tnd,tne->", k_h, v_h) for k_h, v_h in zip(k, v, strict=True))
    assert found["block0.attention"] == learnt + spikes["block0.q"].sum() * 3
    assert found["block0.x1"] == 0


def test_chunks_are_the_whole(monkeypatch):
    graph = random_network(**SMALL)
    images = random_images(graph, 23)
    whole = golden.run(graph, images)
    monkeypatch.setattr(golden, "MAX_CHUNK", 5)
    seen = []
    for jobs in (1, 2):
        chunked = golden.run_chunks(graph, images, jobs=jobs, progress=lambda *n: seen.append(n))
        assert np.array_equal(chunked.logits, whole.logits)
        for name, counts in whole.additions.items():
            assert np.array_equal(chunked.additions[name], counts)
    assert seen == [(5, 23), (10, 23), (15, 23), (20, 23), (23, 23)] * 2


def test_sums_that_float32_cannot_hold():
    """A product beyond 2**24 is computed in float64, and one beyond 2**53 in integers."""
    from spikeloom.networks.exact import exact_product
    from spikeloom.networks.ranges import Range

    x = np.array([[2**12, 1]])
    y = np.array([[2**12], [1]])
    assert exact_product(x, y, Range(0, 2**24 + 1)).tolist() == [[2**24 + 1]]
    big = np.array([[2**27, 1]])
    assert exact_product(big, big.T, Range(0, 2**54 + 1)).tolist() == [[2**54 + 1]]


def test_residuals_of_three_summands():
    graph = one_neuron(1, 0, Neuron(threshold=2), 2, summands=3)
    assert graph.signals["sum"].high == 3
    assert golden.run(graph, np.full((1, 1, 1, 1), 2)).logits.tolist() == [[5 * 3 * 2 + 1]]
