"""The engine against the golden model: outputs, and exact cycles."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.image_port import ImagePort
from spikeloom.networks.layers import PatchEmbedding
from spikeloom.networks.layers.weighted import Weighted
from tests.networks.engine_runner import run_engine
from tests.networks.random_network import random_images, random_network

SMALL = {"image": (4, 4, 1), "patch": (2, 2), "steps": 2, "dims": 16, "hidden": 16, "classes": 3}

# Sizes of the network, and of the engine. Dims, classes and pixels that are no multiple of lanes or
# of 16; one token; one step and 16; every width of weights; sums of spikes; heads that need gaps.
QUICK = {
    "loaded weights": ({"blocks": 0}, {"weights": "loaded"}),
    "odd sizes, sums, 4 lanes": (
        {
            **{"dims": 10, "hidden": 7, "blocks": 1, "heads": 2, "residual": "add"},
            **{"pixel_bits": 3, "reset": "mixed"},
        },
        {"lanes": 4},
    ),
    "one token, one step": (
        {"image": (3, 3, 2), "patch": (3, 3), "steps": 1, "blocks": 1, "heads": 1},
        {},
    ),
    "4 bits, 16 lanes, 16 steps": (
        {
            **{"weight_bits": 4, "steps": 16, "blocks": 1, "attention": False},
            **{"pixel_bits": 1, "reset": "soft"},
        },
        {"lanes": 16, "weights": "loaded"},
    ),
    "spike-driven": (
        {"form": "spike-driven", "blocks": 1, "dims": 20, "steps": 3, "reset": "mixed"},
        {"lanes": 8},
    ),
    "a2os2a": (
        {"form": "a2os2a", "blocks": 1, "dims": 20, "steps": 3, "heads": 1},
        {"lanes": 16},
    ),
    "two heads in a group, no leak": (
        {"weight_bits": 6, "leak": 0, "blocks": 1, "heads": 2, "dims": 20},
        {"lanes": 32},
    ),
}

A2OS2A = {"form": "a2os2a", "blocks": 1}
SPIKE_DRIVEN = {"form": "spike-driven", "blocks": 1}
LONG = {
    "a2os2a, no leak, one token, 4 lanes": (
        A2OS2A | {"image": (2, 2, 1), "leak": 0, "dims": 10, "heads": 2},
        {"lanes": 4},
    ),
    "a2os2a, two blocks of sums": (
        A2OS2A | {"blocks": 2, "residual": "add", "steps": 5, "heads": 1},
        {"lanes": 16, "weights": "loaded"},
    ),
    "a2os2a, one step, 64 lanes": (
        A2OS2A | {"steps": 1, "weight_bits": 4, "dims": 32, "heads": 2},
        {"lanes": 64},
    ),
    "spike-driven, two blocks of sums": (
        SPIKE_DRIVEN | {"blocks": 2, "residual": "add", "heads": 2},
        {"lanes": 16, "weights": "loaded"},
    ),
    "spike-driven, one token and step": (
        SPIKE_DRIVEN | {"image": (2, 2, 1), "steps": 1, "dims": 7, "heads": 1},
        {"lanes": 32},
    ),
    "spike-driven, 4 lanes, no leak, 16 steps": (
        SPIKE_DRIVEN | {"leak": 0, "steps": 16, "dims": 5, "heads": 1},
        {"lanes": 4, "bit_enables": True},
    ),
}

SLOW = {
    "128 lanes": ({"blocks": 1, "heads": 4, "dims": 48, "residual": "add"}, {"lanes": 128}),
    "two blocks of sums": ({"blocks": 2, "heads": 1, "residual": "add"}, {"weights": "loaded"}),
    "values wider than keys": ({"blocks": 1, "heads": 2, "value_dims": 36, "dims": 24}, {}),
    "9 tokens, 5 steps": (
        {"image": (9, 9, 3), "patch": (3, 3), "steps": 5, "blocks": 2, "heads": 2},
        {"lanes": 16, "bit_enables": True},
    ),
    "10 classes, 4 lanes": ({"blocks": 1, "classes": 10, "heads": 2}, {"lanes": 4}),
    "100 dims, 4 bits": (
        {"blocks": 1, "classes": 11, "heads": 5, "dims": 100, "weight_bits": 4, "hidden": 70},
        {"lanes": 16, "bit_enables": False},
    ),
}


def check(sizes, engine, *, images=2, stalls=0.0, seed=1):
    """Run random images on the engine of a random network."""
    graph = random_network(**SMALL | sizes, seed=seed)
    check_graph(graph, random_images(graph, images, seed), engine, stalls=stalls, seed=seed)


def check_graph(graph, batch, engine, *, stalls=0.0, seed=1):
    """Run images on the engine; every logit, label and cycle must be as computed."""
    program = compile_network(graph, **{"weights": "initial"} | engine)
    expected = golden.run(graph, batch, keep=True)
    shape, embedding = batch.shape[1:], graph.embedding
    port = ImagePort(shape=shape, patch=embedding.patch, planes=graph.pixel_bits)
    complete = golden.with_positions(graph, batch)
    outcomes = run_engine(
        program.create(),
        [[beat for beat, _ in port.pack(image)] for image in batch],
        program.weight_chunks().reshape(-1) if program.loaded else (),
        stalls=stalls,
        seed=seed,
    )
    classes = len(graph.classes)
    for n, outcome in enumerate(outcomes):
        spikes = {name: array[n] for name, array in expected.spikes.items()}
        assert outcome.logits == expected.logits[n].tolist()
        assert outcome.label == expected.labels[n]
        assert outcome.lasts == [0] * (classes - 1) + [1]
        if not stalls:
            assert outcome.cycles == program.cycles(complete[n], spikes)
            assert outcome.cycles <= program.cycles()


@pytest.mark.parametrize("case", QUICK)
def test_equal(case):
    check(*QUICK[case])


@pytest.mark.slow
@pytest.mark.parametrize("leak", [0, 1])
@pytest.mark.parametrize("steps", range(1, 17))
def test_steps_and_resets(steps, leak):
    """Every number of steps; hard and soft resets alternate from layer to layer."""
    sizes = {"steps": steps, "blocks": 1, "heads": 1, "dims": 8, "leak": leak, "reset": "mixed"}
    check(sizes, {"lanes": 16}, images=1, seed=steps)


def test_stalls():
    """Streams pause at random; the second image arrives while the first one is computed."""
    check({"blocks": 1, "heads": 2}, {"weights": "loaded"}, images=3, stalls=0.5)


@pytest.mark.parametrize(("pixel", "lanes"), [(0, 8), (255, 8), (255, 32)])
def test_all_zeros_and_all_ones(pixel, lanes):
    """No event at all, and every list as long as it can be: as many as may be present do not fit
    in the ring."""
    graph = random_network(**SMALL | {"steps": 7, "blocks": 0, "leak": 0})
    layers = [
        replace(layer, **_always_firing(layer)) if isinstance(layer, Weighted) else layer
        for layer in graph.layers
    ]
    dense = replace(graph, layers=tuple(layers))
    program = compile_network(dense, lanes=lanes)
    assert program.lists * program.longest_list > program.list_depth
    check_graph(dense, np.full((1, *graph.image), pixel, np.uint8), {"lanes": lanes})


def test_embedding_as_v():
    """The image is read twice: for the spikes of the embedding in a bitmap, and for V."""
    graph = random_network(**SMALL, blocks=1, heads=1)
    layers = []
    for layer in graph.layers:
        if layer.name == "block0.attention":
            layer = replace(layer, inputs=("block0.q", "block0.k", "embed"))
        if layer.name != "block0.v":
            layers.append(layer)
    changed = replace(graph, layers=tuple(layers))
    check_graph(changed, random_images(changed, 2), {})


@pytest.mark.parametrize(
    ("image", "patch"), [((4, 4, 2), (2, 2)), ((6, 8, 3), (3, 4)), ((10, 5, 2), (5, 5))]
)
def test_positions(image, patch):
    """The channel of positions is not sent. One row of pixels is a piece, or two."""
    graph = random_network(**SMALL | {"image": image, "patch": patch, "blocks": 0, "pixel_bits": 3})
    embed, *layers = graph.layers
    assert isinstance(embed, PatchEmbedding)
    graph = replace(graph, layers=(replace(embed, position=True), *layers))
    check_graph(graph, random_images(graph, 2)[..., :-1], {"lanes": 16})


def _always_firing(layer):
    """Weights of 1: a neuron fires if any of its inputs does."""
    fields = {"weight": np.ones_like(layer.weight), "bias": np.zeros_like(layer.bias)}
    return fields | ({"neuron": replace(layer.neuron, threshold=1)} if layer.name != "head" else {})


@pytest.mark.long
@pytest.mark.parametrize("case", LONG)
def test_equal_forms(case):
    check(*LONG[case])


@pytest.mark.long
def test_two_forms():
    """A block of a2os2a and one of spike-driven: V with and without spikes downwards, masked."""
    graph = random_network(**SMALL, blocks=2, heads=1, form="a2os2a", residual="add")
    layers = []
    for layer in graph.layers:
        if layer.name in ("block1.k", "block1.v"):
            layer = replace(layer, neuron=graph.layer("block1.q").neuron)
        if layer.name == "block1.attention":
            layer = replace(layer, form="spike-driven", neuron=replace(layer.neuron, threshold=2))
        layers.append(layer)
    changed = replace(graph, layers=tuple(layers))
    images = random_images(changed, 2, density=0.9)
    assert golden.run(changed, images).counts["block1.attention"].any()
    check_graph(changed, images, {"lanes": 16})


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW)
def test_equal_larger(case):
    check(*SLOW[case])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_equal_random(seed):
    """Random sizes."""
    rng = np.random.default_rng(seed)

    def pick(*values):
        return values[rng.integers(len(values))]

    patch = pick(1, 2, 3)
    grid = pick(1, 2, 3)
    heads = pick(1, 2, 3)
    sizes = {
        "image": (patch * grid, patch * pick(1, grid), pick(1, 2, 3)),
        "steps": pick(1, 2, 3, 4, 7),
        "patch": (patch, patch),
        "pixel_bits": pick(1, 3, 8),
        "dims": heads * pick(1, 5, 16, 19),
        "heads": heads,
        "hidden": pick(1, 9, 33),
        "classes": pick(1, 2, 9),
        "blocks": pick(1, 2),
        "weight_bits": pick(4, 6, 8),
        "leak": pick(0, 1),
        "reset": pick("hard", "soft", "mixed"),
        "residual": pick("iand", "add"),
        "form": pick("spikformer", "spike-driven", "a2os2a", "ssa"),
    }
    if sizes["form"] == "a2os2a":
        sizes["reset"] = "hard"  # the engine has no ternary neurons with a soft reset
    engine = {"lanes": pick(4, 8, 16, 64), "weights": pick("initial", "loaded")}
    check(sizes, engine, stalls=pick(0.0, 0.0, 0.4), seed=seed + 1)


@pytest.mark.parametrize(
    ("sizes", "engine", "message"),
    [
        ({}, {"lanes": 12}, "lanes is 12; choose one of"),
        ({}, {"weights": "flash"}, "weights is 'flash'; choose one of"),
    ],
)
def test_refused(sizes, engine, message):
    graph = random_network(**SMALL | {"blocks": 0} | sizes)
    with pytest.raises(InputError, match=message):
        compile_network(graph, **engine)


def test_listing():
    """The listing names every layer and its operations."""
    graph = random_network(**SMALL, blocks=1, heads=1)
    text = compile_network(graph).listing()
    for layer in ("embed", "block0.q", "block0.attention: learn", "block0.fc2", "head"):
        assert f" {layer}" in text
