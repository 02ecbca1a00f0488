"""Networks that are refused: one line names the layer, the fault and the remedy."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import file
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import KINDS
from spikeloom.networks.neuron import Neuron
from spikeloom.networks.ranges import Range
from spikeloom.networks.signals import Image, Logits, Spikes

from .random_network import random_network

SMALL = {"image": (2, 4, 1), "patch": (2, 2), "dims": 4, "hidden": 3, "classes": 3, "blocks": 1}
GRAPH = random_network(**SMALL)
ORDER = [layer.name for layer in GRAPH.layers]


def changed(change, graph=GRAPH):
    """The graph of a description that a function changed; tensors stay."""
    description = json.loads(json.dumps(graph.to_json()))
    layers = {layer["name"]: layer for layer in description["layers"]}
    change(description, layers)
    return Graph.from_json(description, graph.tensors())


def field(layer, **values):
    """A change of fields of a layer; None removes one."""

    def change(_, layers):
        for name, value in values.items():
            layers[layer][name] = value
            if value is None:
                del layers[layer][name]

    return change


def neuron(layer, **values):
    def change(_, layers):
        layers[layer]["neuron"] |= values

    return change


def top(**values):
    return lambda description, _: description.update(values)


def without(layer):
    return lambda description, layers: description["layers"].remove(layers[layer])


BAD = {
    "name": (top(name="No Name"), "network: 'No Name' is not a name; use a lower-case letter"),
    "steps": (top(steps=65), "network random-network: steps is 65; it must be in 1..64"),
    "steps as text": (top(steps="4"), "steps is '4'; it must be a whole number in 1..64"),
    "steps as a truth value": (top(steps=True), "steps is True; it must be a whole number"),
    "image": (top(image=[2, 4]), "image is [2, 4]; it must be a list of 3 numbers"),
    "channels": (top(image=[2, 4, 65]), "channels of the image is 65; it must be in 1..64"),
    "pixel bits": (top(pixel_bits=9), "pixel_bits is 9; it must be in 1..8"),
    "membrane bits": (top(membrane_bits=7), "membrane_bits is 7; it must be in 8..24"),
    "narrow membranes": (
        top(membrane_bits=8),
        "bits, accumulators have 8; reduce weights, bias or threshold, or raise membrane_bits",
    ),
    "classes": (top(classes=["a", "b"]), "has 2 different names of classes and 3 outputs"),
    "classes twice": (top(classes=["a", "b", "a"]), "has 2 different names of classes and 3"),
    "a class of two lines": (top(classes=["a", "b", "c\nd"]), "the name of a class is 'c\\nd'"),
    "description": (top(description="a\nb"), "description is 'a\\nb'; it must be a line"),
    "no layers": (top(layers=[]), "has 0 layers; give 1 to 1024"),
    "layers": (top(layers={}), "network: layers must be a list of objects"),
    "too many layers": (top(layers=[{}] * 2000), "has 2000 layers; the most are 1024"),
    "a layer": (top(layers=[1]), "layer number 0: is 1, not an object; give its fields"),
    "a layer without name": (top(layers=[{}]), "layer number 0: has no field 'name'; add it"),
    "unknown field": (top(colour=1), "has an unknown field 'colour'; fields: name, steps, image"),
    "missing field": (lambda d, _: d.pop("steps"), "the network has no field 'steps'; add it"),
    "layer name": (field("head", name="a b"), "layer number 10: 'a b' is not a name of a layer"),
    "layer called image": (field("head", name="image"), "'image' is not a name of a layer"),
    "two of a name": (field("head", name="embed"), "has two layers called embed; rename one"),
    "undefined": (
        field("head", inputs=["nobody"]),
        "layer head: input 'nobody' does not exist; layers: image, embed, block0.q",
    ),
    "itself": (
        field("block0.fc2", inputs=["block0.fc2"]),
        "layer block0.fc2: is in a cycle (block0.fc2 <- block0.fc2); remove one input",
    ),
    "cycle": (
        field("block0.fc1", inputs=["block0.fc2"]),
        "layer block0.fc1: is in a cycle (block0.fc1 <- block0.fc2 <- block0.fc1)",
    ),
    "order": (
        lambda d, _: d["layers"].insert(0, d["layers"].pop(1)),
        "layer block0.q: input embed comes later; list embed before block0.q",
    ),
    "unused layer": (
        field("block0.x2", inputs=["embed", "block0.x1"]),
        "layer block0.fc2: no layer reads its output; remove it or use it",
    ),
    "no inputs": (field("head", inputs=[]), "layer head: inputs must be 1 to 255 names"),
    "inputs as text": (field("head", inputs="embed"), "layer head: inputs must be a list"),
    "two inputs": (
        field("head", inputs=["block0.x2", "embed"]),
        "layer head: has 2 inputs; kind classifier takes 1",
    ),
    "the image": (
        field("block0.q", inputs=["image"]),
        "layer block0.q: input image is an image; linear takes spikes of a layer",
    ),
    "spikes embedded": (
        field("embed", inputs=["block0.x2"]),
        "layer embed: is in a cycle (embed <- block0.x2 <- ",
    ),
    "no classifier": (
        without("head"),
        "layer block0.x2: is the last layer; end the network with a layer of kind classifier",
    ),
    "patch": (
        field("embed", patch=[2, 3]),
        "layer embed: patch 2 x 3 does not divide the image of 2 x 4; choose divisors",
    ),
    "patch of another size": (
        field("embed", patch=[1, 2]),
        "layer embed: weight has 4 rows and a patch has 2 values; make them equal",
    ),
    "rows": (
        field("block0.fc2", weight="block0.q.weight", bias="block0.q.bias"),
        "layer block0.fc2: weight has 4 rows and input block0.fc1 has 3 values; make them equal",
    ),
    "bias": (
        field("block0.fc1", bias="block0.q.bias"),
        "layer block0.fc1: bias has 4 values and weight 3 outputs; make them equal",
    ),
    "weight bits": (
        field("head", weight_bits=5),
        "layer head: weight_bits is 5; it must be one of 4, 6, 8, 10, 12, 14, 16",
    ),
    "heads": (
        field("block0.attention", heads=3),
        "layer block0.attention: 3 heads do not divide the 4 dims of block0.q; choose a divisor",
    ),
    "no heads": (field("block0.attention", heads=0), "layer block0.attention: heads is 0"),
    "q and k": (
        field("block0.attention", inputs=["block0.q", "block0.k", "block0.v", "embed"]),
        "layer block0.attention: has 4 inputs; kind attention takes 3",
    ),
    "neuron": (field("head", neuron={}), "layer head: the layer has an unknown field 'neuron'"),
    "no neuron": (field("block0.q", neuron=None), "layer block0.q: the layer has no field"),
    "neuron as text": (field("block0.q", neuron="lif"), "neuron is 'lif', not an object"),
    "odd threshold": (
        neuron("block0.q", threshold=63),
        "layer block0.q: threshold 63 is odd; make it even, or set leak to 0",
    ),
    "threshold": (neuron("block0.q", threshold=0), "layer block0.q: threshold is 0; it must be in"),
    "fraction": (neuron("block0.q", threshold=1.5), "threshold is 1.5; it must be a whole number"),
    "leak": (neuron("block0.q", leak=2), "layer block0.q: leak is 2; it must be in 0..1"),
    "leak of a relu": (
        neuron("block0.k", kind="relu"),
        "layer block0.k: neuron has an unknown field 'leak'; fields: kind, threshold, bits",
    ),
    "bits of a neuron": (
        neuron("block0.k", bits=2),
        "layer block0.k: neuron has an unknown field 'bits'; fields: kind, threshold, leak, reset",
    ),
    "threshold of none": (
        neuron("block0.k", kind="none"),
        "layer block0.k: neuron has an unknown field 'threshold'; fields: kind",
    ),
    "currents": (
        field("block0.k", neuron={"kind": "none"}),
        "layer block0.attention: input block0.k is currents of 2 tokens x 4; attention takes",
    ),
    "attention without neurons": (
        field("block0.attention", neuron={"kind": "none"}),
        "layer block0.attention: neuron kind is none; attention has neurons",
    ),
    "membrane of spikes": (
        field("block0.x1", form="membrane"),
        "layer block0.x1: input embed is 2 tokens x 4; residual takes currents, of a layer with",
    ),
    "ternary q": (
        neuron("block0.q", kind="ternary"),
        "layer block0.attention: input block0.q holds -1..1; attention takes spikes",
    ),
    "ternary iand": (
        neuron("block0.proj", kind="ternary"),
        "layer block0.x1: input block0.proj holds -1..1; form iand takes spikes, use form add",
    ),
    "reset": (neuron("block0.q", reset="half"), "reset 'half' does not exist; resets: hard, soft"),
    "wide": (
        neuron("block0.q", threshold=2**23 - 2),
        "layer block0.q: its sums reach -83889",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(case):
    change, message = BAD[case]
    with pytest.raises(InputError) as caught:
        changed(change)
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert len(text) < 500


@pytest.mark.parametrize(
    "kind",
    ["conv_stem", "membrane_shortcut", "neuron", 3, None, "Linear"],
)
def test_kinds_that_are_not_built_are_refused(kind):
    """The line names those that exist."""
    with pytest.raises(InputError) as caught:
        changed(field("block0.fc1", kind=kind))
    assert str(caught.value) == (
        f"layer block0.fc1: kind {kind!r} does not exist; kinds: patch_embedding, convolution, "
        "pooling, linear, neurons, attention, residual, classifier"
        if kind is not None
        else "layer block0.fc1: kind None does not exist; kinds: " + ", ".join(KINDS)
    )


FORMS = "spikformer, spike-driven, a2os2a, ssa, spiked"


@pytest.mark.parametrize(
    ("layer", "form", "forms"),
    [
        *(("block0.attention", form, FORMS) for form in ("softmax", "SSA")),
        ("block0.x1", "shortcut", "iand, add, membrane"),
    ],
)
def test_forms_that_are_not_built_are_refused(layer, form, forms):
    with pytest.raises(InputError) as caught:
        changed(field(layer, form=form))
    kind = GRAPH.layer(layer).KIND
    message = f"layer {layer}: form {form!r} does not exist; forms of {kind}: {forms}"
    assert str(caught.value) == message


@pytest.mark.parametrize("kind", ["if", "izhikevich", 3, ["lif"]])
def test_neurons_that_are_not_built_are_refused(kind):
    with pytest.raises(InputError) as caught:
        changed(neuron("block0.q", kind=kind))
    message = (
        f"layer block0.q: neuron kind {kind!r} does not exist; kinds: lif, ternary, relu, "
        "phase, none"
    )
    assert str(caught.value) == message


@pytest.mark.parametrize(("bits", "low", "high"), [(4, -8, 7), (6, -32, 31), (8, -128, 127)])
def test_weights_beyond_their_bits(bits, low, high):
    layer = GRAPH.layer("block0.q")
    for value in (low, high):
        weight = np.zeros((4, 4), int)
        weight[1, 2] = value
        assert replace(layer, weight=weight, weight_bits=bits).weight[1, 2] == value
    for value in (low - 1, high + 1):
        weight[1, 2] = value
        with pytest.raises(InputError, match=r"layer block0.q: weight.*(clip it|fit in int8)"):
            replace(layer, weight=weight, weight_bits=bits)


def test_arrays_that_are_no_weights():
    layer = GRAPH.layer("block0.q")
    for weight, message in (
        (np.zeros((4, 4)), "weight holds float64; round it to integers"),
        (np.zeros(4, int), r"weight has shape \(4,\); it must have 2 axes"),
        (np.full((4, 4), 300), "weight has values from 300 to 300; they must fit in int8"),
        (np.zeros((4, 4097), int), "bias has 4 values and weight 4097 outputs"),
    ):
        with pytest.raises(InputError, match=f"layer block0.q: {message}"):
            replace(layer, weight=weight)
    with pytest.raises(InputError, match="has 4097 outputs; the most are 4096"):
        replace(layer, weight=np.zeros((4, 4097), int), bias=np.zeros(4097, int))
    with pytest.raises(InputError, match="bias has values from 2147483648"):
        replace(layer, bias=np.full(4, 2**31))
    assert not GRAPH.layer("block0.q").weight.flags.writeable


def test_residuals():
    """`iand` takes two inputs of spikes, `add` also sums, but not too many."""
    layers = {layer.name: layer for layer in GRAPH.layers}
    x1 = layers["block0.x1"]
    spikes = Spikes(4, 2, 4)
    assert replace(x1, form="add").output([spikes, replace(spikes, high=2)]).high == 3
    for form, sources, message in (
        ("iand", [spikes], "has 1 input; kind residual takes 2"),
        ("add", [spikes], "has 1 input; kind residual takes 2"),
        ("iand", [spikes] * 3, "has 3 inputs; kind residual takes 2"),
        ("iand", [spikes, replace(spikes, high=2)], r"holds 0..2; form iand takes spikes"),
        ("add", [spikes, replace(spikes, dims=5)], "inputs have different numbers of dims: a0 4, "),
        ("add", [spikes, replace(spikes, tokens=5)], "inputs have different numbers of tokens"),
        ("add", [spikes, replace(spikes, high=255)], "sums 256 spikes; the most are 255"),
        ("add", [spikes, Logits(4)], "input a1 is logits; residual takes spikes"),
    ):
        names = [f"a{n}" for n in range(len(sources))]
        with pytest.raises(InputError, match=message):
            replace(x1, form=form, inputs=names).output(sources)


def test_attention_takes_spikes():
    layer = GRAPH.layer("block0.attention")
    spikes = Spikes(4, 2, 4)
    for sources, message in (
        ([spikes, spikes, replace(spikes, high=2)], r"input block0.v holds 0..2; attention takes"),
        ([spikes, replace(spikes, dims=6), spikes], "block0.q has 4 dims and block0.k 6"),
        ([spikes, spikes, replace(spikes, dims=5)], "2 heads do not divide the 5 dims of block0.v"),
        ([spikes, Image(4, 2, 2, 1, 8), spikes], "input block0.k is an image"),
    ):
        with pytest.raises(InputError, match=message):
            layer.output(sources)


def test_one_embedding_and_one_classifier():
    second = replace(GRAPH.embedding, name="again")
    layers = list(GRAPH.layers)
    layers[-2] = replace(layers[-2], inputs=("block0.x1", "again"), form="add")
    fc2 = replace(GRAPH.layer("block0.fc2"), inputs=("block0.fc1",))
    assert fc2.name == layers[-3].name
    with pytest.raises(
        InputError, match="layer embed: is the second layer that reads the image, after again"
    ):
        Graph(name="n", steps=4, image=(2, 4, 1), layers=(second, *layers[:-4], *layers[-2:]))
    head = replace(GRAPH.classifier, name="early", inputs=("embed",))
    with pytest.raises(InputError, match="layer early: no layer reads its output"):
        Graph(name="n", steps=4, image=(2, 4, 1), layers=(GRAPH.embedding, head, *GRAPH.layers[1:]))


def test_what_a_graph_says():
    assert GRAPH.signals["embed"] == Spikes(4, 2, 4, grid=(1, 2))
    assert GRAPH.signals["head"] == Logits(3)
    assert GRAPH.signals["image"] == Image(4, 2, 4, 1, 8)
    assert (GRAPH.tokens, GRAPH.classes) == (2, ("0", "1", "2"))
    assert GRAPH.weights == sum(tensor.size for tensor in GRAPH.tensors().values())
    assert GRAPH.accumulator_bits == GRAPH.bounds["embed"].accumulator.bits
    assert changed(lambda d, _: None).to_json() == GRAPH.to_json()


def test_membrane_bits():
    """A width that is enough is kept in the file; the accumulators are as wide as needed."""
    needed = GRAPH.accumulator_bits
    chosen = changed(top(membrane_bits=needed))
    assert file.from_bytes(file.to_bytes(chosen)).membrane_bits == needed
    assert "membrane_bits" not in GRAPH.to_json()
    with pytest.raises(InputError, match=rf"layer embed: .* accumulators have {needed - 1};"):
        changed(top(membrane_bits=needed - 1))


def test_defaults():
    """Fields that may be left out."""

    def leave_out(description, layers):
        for name in ("pixel_bits", "classes", "licence", "description"):
            del description[name]
        del layers["head"]["weight_bits"]
        del layers["block0.q"]["neuron"]["leak"]
        del layers["block0.q"]["neuron"]["reset"]

    assert changed(leave_out).to_json() == GRAPH.to_json()


def test_a_long_chain_is_quick():
    """1024 layers, listed backwards: one line, at once."""
    graph = random_network(**SMALL | {"attention": False, "blocks": 300})
    assert len(graph.layers) == 902
    assert file.from_bytes(file.to_bytes(graph)).to_json() == graph.to_json()
    with pytest.raises(InputError, match=r"input block299.x2 comes later"):
        changed(lambda d, _: d["layers"].reverse(), graph)


def test_ranges():
    assert [Range(*r).bits for r in ((0, 0), (-1, 0), (0, 1), (-128, 127), (-129, 0))] == [
        *(1, 1, 2, 8, 9)
    ]
    assert Range(-3, 2).joined(Range(0, 5)) == Range(-3, 5)
    assert Range(-7, 5).magnitude == 7
    soft = Neuron(threshold=4, leak=0, reset="soft")
    assert soft.membrane(Range(6, 9), 2) == Range(6, 14)  # 6 - 4 + 6, 9 - 4 + 9
    hard = Neuron(threshold=4, leak=1)
    assert hard.membrane(Range(6, 9), 3) == Range(6, 9)
    assert hard.membrane(Range(-5, 1), 3) == Range(-9, 1)  # -3 - 5, then -4 - 5
