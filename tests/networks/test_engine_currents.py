"""Layers without neurons, membrane shortcuts and pooled currents on the engine, against the golden
model: outputs, and exact cycles."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import Classifier, Convolution, Linear, Neurons, Pooling, Residual
from spikeloom.networks.neuron import NO_NEURON, Neuron
from tests.networks.random_network import random_images
from tests.networks.test_engine import check_graph
from tests.networks.test_membrane import membrane_network

SMALL = {"steps": 2, "image": (3, 2, 1), "dims": 3}


def sums(kind, name, inputs, rows, outputs, rng, **fields):
    """A layer without neurons."""
    return kind(
        name=name,
        inputs=(inputs,),
        weight=rng.integers(-128, 128, (rows, outputs)).astype(np.int8),
        bias=rng.integers(-99, 99, outputs).astype(np.int32),
        neuron=NO_NEURON,
        **fields,
    )


def shortcuts(
    *, steps=2, image=(3, 4, 1), dims=5, pixel_bits=3, leak=1, reset="hard", form="max", seed=1
):
    """Currents of the image, pooled before their neurons; a sum of three, one of which is read
    again after it; the neurons of a part of them."""
    rng = np.random.default_rng(seed)

    def neurons(name, inputs, threshold):
        neuron = Neuron(threshold=threshold, leak=leak, reset=reset)
        return Neurons(name=name, inputs=(inputs,), neuron=neuron)

    window = {"kernel": (3, 3), "padding": (1, 1)}
    rows = 9 * image[2]
    layers = (
        sums(Convolution, "conv", "image", rows, dims, rng, **window),
        Pooling(name="pool", inputs=("conv",), form=form, stride=(2, 2), **window),
        neurons("a", "pool", 400),
        sums(Linear, "b", "a", dims, dims, rng),
        sums(Linear, "c", "a", dims, dims, rng),
        Residual(name="u", inputs=("b", "pool", "c"), form="membrane"),
        Residual(name="w", inputs=("pool", "u"), form="membrane"),
        neurons("d", "w", 600),
        Classifier(
            name="head",
            inputs=("d",),
            weight=rng.integers(-9, 9, (dims, 2)).astype(np.int8),
            bias=np.array([1, 2], np.int32),
        ),
    )
    shape = {"steps": steps, "image": image, "pixel_bits": pixel_bits}
    return Graph(name="shortcuts", layers=layers, **shape)


def test_a_whole_network():
    """Spike-driven Transformer: stem, block, and the mean over the tokens before the last neurons.
    The stream of currents stays in one place."""
    graph = membrane_network(**SMALL)
    images = random_images(graph, 2, density=0.9)
    assert sum(counts.any() for counts in golden.run(graph, images).counts.values()) > 5
    check_graph(graph, images, {"lanes": 8})
    by_name = {one.name: one for one in compile_network(graph, lanes=8).operations}
    assert by_name["pool"].o_base == by_name["u0"].o_base == by_name["u2"].o_base


@pytest.mark.parametrize("form", ["max", "sum"])
def test_shortcuts(form):
    """On four lanes and on 16; the sum of three summands keeps the one that is read again."""
    graph = shortcuts(form=form)
    check_graph(graph, random_images(graph, 1, density=0.9), {"lanes": 4 if form == "max" else 16})
    by_name = {one.name: one for one in compile_network(graph, lanes=4).operations}
    assert by_name["u"].o_base != by_name["pool"].o_base == by_name["w"].o_base


@pytest.mark.long
@pytest.mark.parametrize(
    ("sizes", "engine"),
    [
        ({"leak": 0, "reset": "soft", "steps": 5}, {"lanes": 32, "weights": "loaded"}),
        ({"steps": 1, "image": (1, 1, 2), "dims": 17, "pixel_bits": 8}, {"lanes": 8}),
        ({"image": (5, 3, 17), "dims": 20, "reset": "soft", "form": "sum"}, {"lanes": 128}),
    ],
)
def test_shortcuts_of_other_sizes(sizes, engine):
    for seed in range(2):
        graph = shortcuts(**sizes, seed=seed)
        check_graph(graph, random_images(graph, 2, seed, density=0.9), engine, stalls=0.3 * seed)


@pytest.mark.long
@pytest.mark.parametrize("leak", [0, 1])
def test_whole_networks(leak):
    graph = membrane_network(steps=3, image=(5, 4, 2), dims=6, leak=leak, reset="soft", seed=leak)
    check_graph(graph, random_images(graph, 2, density=0.8), {"lanes": 16, "weights": "loaded"})


@pytest.mark.parametrize("pixel", [0, 255])
def test_largest_of_equal_signs(pixel):
    """All currents of a window are negative, or positive; places outside do not count."""
    graph = shortcuts()
    layers = []
    for layer in graph.layers:
        if isinstance(layer, Convolution):
            sign = 1 if pixel else -1
            bias = np.full_like(layer.bias, sign * 9)
            layer = replace(layer, weight=np.full_like(layer.weight, sign), bias=bias)
        if isinstance(layer, Linear):
            layer = replace(layer, bias=np.full_like(layer.bias, 700))
        layers.append(layer)
    changed = replace(graph, layers=tuple(layers))
    check_graph(changed, np.full((1, *changed.image), pixel, np.uint8), {"lanes": 8})


def test_refused():
    """Neurons of other kinds than lif."""
    graph = shortcuts()
    layers = [
        replace(layer, neuron=Neuron(kind="ternary", threshold=400)) if layer.name == "d" else layer
        for layer in graph.layers
    ]
    with pytest.raises(InputError, match="layer d: the engine does not build ternary neurons of"):
        compile_network(replace(graph, layers=tuple(layers)))


def test_listing():
    program = compile_network(shortcuts())
    text = program.listing()
    assert f"\ncurrents      {program.current_words} words of {program.current_bits} bits" in text
    for line in ("conv: from image", "pool: largest of conv", "u: from b + pool", "d: from w"):
        assert f" {line} " in text
