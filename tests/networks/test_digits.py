"""Weights of two digits: the engine against the golden model, and how they are stored."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.backend import Golden, compare
from spikeloom.errors import InputError
from spikeloom.networks import file, golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.engine.bitmaps import Columns
from spikeloom.networks.engine.rounding import round_biases
from spikeloom.networks.engine.weight_format import WeightFormat, possible_shifts
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import Linear, PatchEmbedding
from spikeloom.networks.layers.weighted import Weighted, digit_limits
from spikeloom.networks.network import network_core
from spikeloom_sim.backends import Netlist
from tests.networks.random_network import random_images, random_network, with_offsets
from tests.networks.stem import stem_network, with_border
from tests.networks.test_engine import SMALL, check_graph

WIDE = {4: 8, 6: 12, 8: 12}  # bits of weights of two digits, by those of a lane
EMBED = ("embed",)
ALL = ()


def widened(graph, bits, names=ALL, lane_bits=None, seed=1):
    """The network with weights of `bits` bits, the largest ones too, in the layers called `names`,
    or in all; thresholds grow as the weights do."""
    lane_bits = lane_bits or graph.word_bits
    rng = np.random.default_rng(seed)
    layers = []
    for layer in graph.layers:
        if isinstance(layer, Weighted) and (layer.name in names or not names):
            factor = 1 << bits - layer.weight_bits
            low, high = digit_limits(lane_bits, lane_bits)
            low, high = max(low, -(1 << bits - 1)), min(high, (1 << bits - 1) - 1)
            weight = layer.weight.astype(np.int64) * factor
            weight = np.clip(weight + rng.integers(0, factor, weight.shape), low, high)
            weight.flat[0], weight.flat[-1] = low, high
            fields = {"weight": weight, "bias": layer.bias * factor, "weight_bits": bits}
            if (neuron := getattr(layer, "neuron", None)) is not None:
                fields["neuron"] = replace(neuron, threshold=neuron.threshold * factor)
            layer = replace(layer, **fields)
        layers.append(layer)
    return replace(graph, layers=tuple(layers), lane_bits=lane_bits)


def check(graph, engine, *, images=2, seed=1):
    """Run a network with weights of two digits."""
    assert compile_network(graph).table.digits
    check_graph(graph, random_images(graph, images, seed), engine, seed=seed)


BLOCK = {"blocks": 1, "heads": 1}
QUICK = {
    "image layer, 4 bits, 16 lanes": (
        ({"weight_bits": 4, "blocks": 0}, EMBED),
        {"lanes": 16, "weights": "loaded"},
    ),
    "linear and classifier, 4 bits, one step": (
        ({"weight_bits": 4, "blocks": 1, "attention": False, "steps": 1}, ("block0.fc2", "head")),
        {"lanes": 16},
    ),
}
LONG = {
    "image layer, 4 bits, with attention": (
        (BLOCK | {"weight_bits": 4, "steps": 4}, EMBED),
        {"lanes": 16, "weights": "loaded"},
    ),
    "q, k and v, 8 bits, soft reset": (
        (BLOCK | {"dims": 20, "reset": "soft"}, ("block0.q", "block0.k", "block0.v")),
        {"lanes": 8},
    ),
    "sums of three summands, 4 bits, no leak": (
        (
            {"weight_bits": 4, "residual": "add", "leak": 0, "pixel_bits": 3, "dims": 10},
            ("block1.fc1", "block0.fc1", "head"),
        ),
        {"lanes": 4},
    ),
    "odd sizes, image layer of 8 bits, one token": (
        (
            BLOCK | {"image": (3, 3, 2), "patch": (3, 3), "steps": 1, "dims": 10, "hidden": 7},
            EMBED,
        ),
        {"lanes": 8},
    ),
    "a2os2a": (({"form": "a2os2a", "blocks": 1, "dims": 20, "heads": 1}, EMBED), {"lanes": 16}),
    "spike-driven, mixed resets": (
        (BLOCK | {"form": "spike-driven", "dims": 20, "reset": "mixed"}, ("block0.v", "head")),
        {"lanes": 8},
    ),
    "64 lanes": ((BLOCK | {"weight_bits": 4, "dims": 40}, ("embed", "head")), {"lanes": 64}),
}


def run_case(case):
    (sizes, names), engine = case
    graph = random_network(**SMALL | sizes)
    bits = sizes.get("weight_bits", 8)
    check(widened(graph, WIDE[bits], names), engine)


@pytest.mark.parametrize("case", QUICK)
def test_equal(case):
    run_case(QUICK[case])


@pytest.mark.long
@pytest.mark.parametrize("case", LONG)
def test_equal_larger(case):
    run_case(LONG[case])


@pytest.mark.long
@pytest.mark.parametrize(("bits", "lane_bits"), [(10, 8), (12, 6), (14, 8), (16, 8)])
@pytest.mark.parametrize("steps", [1, 3])
def test_all_layers(bits, lane_bits, steps):
    """Weights of more than 8 bits everywhere."""
    sizes = BLOCK | {"steps": steps, "pixel_bits": 4}
    check(widened(random_network(**SMALL | sizes), bits, ALL, lane_bits), {"lanes": 8})


STEMS = {
    "first layer": ({"image": (4, 4, 3), "widths": (3, 4), "pooled": 1}, ("stem.conv0",)),
    "stem": ({"image": (5, 4, 1), "widths": (3, 4), "pooled": 1}, ("stem.conv0", "stem.conv1")),
    "stem, 4 bits, stride": (
        {"weight_bits": 4, "stride": (2, 2), "pixel_bits": 3, "widths": (4, 18), "pooled": 1},
        ("stem.conv0", "stem.conv1"),
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("case", STEMS)
def test_convolutions(case):
    """Windows of the image and of spikes."""
    sizes, names = STEMS[case]
    graph = stem_network(**sizes)
    check(widened(graph, WIDE[sizes.get("weight_bits", 8)], names), {"lanes": 8})


@pytest.mark.long
def test_border():
    """The pixel outside of the image is not 0."""
    graph = with_border(stem_network(image=(4, 4, 2), widths=(3, 4), pooled=1), (200, 77))
    check(widened(graph, 12, (graph.layers[0].name,)), {"lanes": 8})


@pytest.mark.long
def test_positions_and_thresholds():
    """Positions of patches, and thresholds that differ."""
    graph = random_network(**SMALL | BLOCK | {"weight_bits": 4, "image": (4, 4, 2)})
    embed, *layers = with_offsets(graph).layers
    assert isinstance(embed, PatchEmbedding)
    graph = replace(graph, layers=(replace(embed, position=True), *layers))
    graph = widened(graph, 8, EMBED)
    check_graph(graph, random_images(graph, 2)[..., :-1], {"lanes": 16})


@pytest.mark.long
@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_netlist(family):
    """The layer of the image and an MLP, synthesised."""
    sizes = {"weight_bits": 4, "blocks": 1, "attention": False, "pixel_bits": 4}
    graph = widened(random_network(**SMALL | sizes), 8, (*EMBED, "block0.fc2"))
    core = network_core(graph)(lanes=4)
    batch = [{"image": image} for image in random_images(graph, 2)]
    runs = Netlist(family=family).run(core, batch)
    assert not compare(runs, Golden().run(core, batch))
    for run, operands in zip(runs, batch, strict=True):
        assert run.cycles == core.cycles(**operands)


@pytest.mark.parametrize(("bits", "shift"), [(4, 4), (4, 3), (8, 4), (8, 8), (6, 6)])
def test_digits(bits, shift):
    """Two digits are every weight within their limits; each fits the bits of a lane."""
    low, high = (np.clip(n, -(2**15), 2**15 - 1) for n in digit_limits(bits, shift))
    weight = np.arange(low, high + 1)[:, None]
    graph = random_network(**SMALL | {"blocks": 0}, weight_bits=min(bits, 8))
    head = replace(graph.layer("head"), weight=weight, bias=np.zeros(1, int), weight_bits=16)
    stored, values = WeightFormat(graph, shift), Columns(1, len(weight), len(weight))
    rows = stored.rows(head, values, Columns(1, 1, 1), [np.zeros(16, int)])
    assert -(1 << bits - 1) <= rows.min() <= rows.max() < 1 << bits - 1
    assert len(rows) == stored.end(head, values) + 1
    words = rows[:-1, 0].reshape(-1, 2, 16)
    found = (words[:, 0] + (words[:, 1] << shift)).reshape(-1)
    assert np.array_equal(found[: len(weight)], weight[:, 0])
    assert not found[len(weight) :].any()


def test_lanes():
    """The lanes are as wide as the file says, or as the widest weights, up to 8 bits."""
    four = random_network(**SMALL | {"weight_bits": 4, "blocks": 1})
    mixed = widened(four, 8, EMBED)
    assert four.word_bits == mixed.word_bits == 4
    assert [*possible_shifts(four)] == [0, 1, 2, 3, 4]
    assert [*possible_shifts(mixed)] == [4]
    assert network_core(mixed).PRESETS["ice40-5k"].settings["lanes"] == 16
    plain = replace(mixed, lane_bits=None)
    assert plain.word_bits == 8
    assert not compile_network(plain).table.digits
    assert replace(widened(four, 12), lane_bits=None).word_bits == 8
    assert [*possible_shifts(widened(four, 12, EMBED, 8))] == [4, 5, 6, 7, 8]


def test_file():
    """Weights of more than 8 bits are tensors of 16 bits."""
    graph = widened(random_network(**SMALL | {"blocks": 0, "pixel_bits": 3}), 12, EMBED)
    data = file.to_bytes(graph)
    assert b'"embed.weight":{"dtype":"I16"' in data
    assert b'"head.weight":{"dtype":"I8"' in data
    read = file.from_bytes(data)
    assert read.to_json() == graph.to_json()
    assert read.lane_bits == 8
    assert np.array_equal(read.layer("embed").weight, graph.layer("embed").weight)
    images = random_images(graph, 4)
    assert np.array_equal(golden.run(read, images).logits, golden.run(graph, images).logits)


WIDEST = random_network(**SMALL | {"blocks": 0, "pixel_bits": 1, "weight_bits": 4})
BAD = {
    "no width of a lane": (
        {"lane_bits": 5},
        {},
        "network random-network: lane_bits is 5; it must be one of 4, 6, 8",
    ),
    "a width that is no whole number": (
        {"lane_bits": 4.0},
        {},
        "network random-network: lane_bits is 4.0; it must be one of 4, 6, 8",
    ),
    "lanes of 4 bits": (
        {"lane_bits": 4},
        {"weight_bits": 8, "weight": 120},
        "layer embed: weights from -8 to 120 do not fit two digits of 4 bits, which hold "
        "-136..119; scale them, or raise lane_bits",
    ),
    "lanes of 8 bits": (
        {},
        {"weight_bits": 16, "weight": 32640},
        "layer embed: weights from -8 to 32640 do not fit two digits of 8 bits, which hold "
        "-32896..32639; scale them",
    ),
    "beyond the bits": (
        {},
        {"weight_bits": 12, "weight": 2048},
        "layer embed: weight 2048 at [0, 0] is not in -2048..2047; clip it or raise weight_bits "
        "(12)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(case):
    fields, layer_fields, message = BAD[case]
    with pytest.raises(InputError) as caught:
        changed(fields, **layer_fields)
    assert str(caught.value) == message


def changed(fields, weight=0, **layer_fields):
    """The network with fields of its own and of the embedding, one weight of which is `weight`."""
    embed, head = WIDEST.layers
    weights = embed.weight.astype(int)
    weights[0, :2] = weight, -8
    return replace(WIDEST, layers=(replace(embed, weight=weights, **layer_fields), head), **fields)


TYPES = {
    "bytes of 12 bits": (12, np.int8, "int8; weight must be int16"),
    "two bytes of 8 bits": (8, np.int16, "int16; weight must be int8"),
}


@pytest.mark.parametrize("case", TYPES)
def test_refused_types(case):
    bits, dtype, message = TYPES[case]
    tensors = WIDEST.tensors()
    tensors["head.weight"] = tensors["head.weight"].astype(dtype)
    description = WIDEST.to_json()
    description["layers"][-1]["weight_bits"] = bits
    with pytest.raises(InputError) as caught:
        Graph.from_json(description, tensors)
    assert str(caught.value) == f"layer head: tensor 'head.weight' holds {message}"


def test_rounded_biases():
    """Layers of two digits keep their biases."""
    graph = random_network(**SMALL | {"blocks": 1, "dims": 40})
    layers = [
        replace(x, bias=x.bias * 9, neuron=replace(x.neuron, threshold=1000))
        if isinstance(x, Linear)
        else x
        for x in graph.layers
    ]
    graph = widened(replace(graph, layers=tuple(layers)), 12, ("block0.q", "block0.fc1"))
    rounded = round_biases(graph)
    for one, other in zip(graph.weighted, rounded.weighted, strict=True):
        kept = graph.digits(one) == 2 or not isinstance(one, Linear)
        assert np.array_equal(one.bias, other.bias) == kept


def test_work():
    """An addition of two digits is two, each of a word of a lane."""
    graph = random_network(**SMALL | {"weight_bits": 4, "blocks": 1})
    found = {}
    for name, one in (("four", graph), ("wide", widened(graph, 8, EMBED))):
        core = network_core(one)()
        work = core.work(image=np.full(one.image, 255, np.uint8))
        found[name] = (
            next(x for x in work.operations if x.what == "embed").count,
            next(x for x in work.accesses if x.what == "embed: weights"),
        )
    assert found["wide"][0] == 2 * found["four"][0]
    assert found["wide"][1].bits == 2 * found["four"][1].bits


def test_listing():
    graph = widened(random_network(**SMALL | {"weight_bits": 4, "blocks": 0}), 8, EMBED)
    text = compile_network(graph).listing()
    (line,) = (line for line in text.splitlines() if " embed:" in line)
    assert "of 2 digits" in line
    assert "digits" not in next(line for line in text.splitlines() if " head:" in line)
