"""Convolutions and poolings of networks: direct sums, PyTorch, files, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import file, golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.evaluation import evaluate
from spikeloom.networks.graph import Graph
from spikeloom.networks.network import network_core
from spikeloom.networks.signals import Spikes
from tests.networks import reference
from tests.networks.random_network import random_images
from tests.networks.stem import stem_network

STEMS = {
    "Spikformer's order": {},
    "one step, grey": {"steps": 1, "image": (7, 5, 1), "pixel_bits": 3},
    "strides and oblong kernels": {"kernel": (3, 5), "stride": (2, 3), "image": (9, 13, 2)},
    "no pooling, soft reset": {"pooled": 0, "image": (3, 4, 2), "reset": "soft", "leak": 0},
    "a place": {"kernel": (1, 1), "image": (1, 1, 2), "pooled": 1},
}
GRAPH = stem_network()


@pytest.mark.parametrize("case", STEMS)
def test_golden_is_the_direct_sum(case):
    graph = stem_network(**STEMS[case])
    images = random_images(graph, 3, density=0.8)
    images[2:] = 255
    result = golden.run(graph, images, keep=True)
    for n, image in enumerate(images):
        expected = reference.run(graph, image)
        for name, spikes in result.spikes.items():
            assert np.array_equal(spikes[n], expected[name]), (name, n)
        assert np.array_equal(result.logits[n], expected["head"])
    stem = [name for name in result.counts if name.startswith("stem.conv")]
    assert sum(result.counts[name].any() for name in stem) >= len(stem) - 1


@pytest.mark.torch
@pytest.mark.parametrize("case", STEMS)
def test_golden_is_pytorch(case):
    """The sums of `torch.nn.functional.conv2d` and the values of `max_pool2d`."""
    torch = pytest.importorskip("torch")
    graph = stem_network(**STEMS[case])
    images = random_images(graph, 4, density=0.8)
    kept = golden.run(graph, images, keep=True).spikes
    for layer in graph.layers:
        if layer.KIND not in ("convolution", "pooling"):
            continue
        if layer.inputs == ("image",):
            x = (images >> (8 - graph.pixel_bits))[:, None]
        else:
            (source,) = graph.sources(layer)
            x = kept[layer.inputs[0]].reshape(4, graph.steps, *source.grid, source.dims)
        given = torch.tensor(x.reshape(-1, *x.shape[2:]).transpose(0, 3, 1, 2).astype(np.float64))
        if layer.KIND == "pooling":
            found = torch.nn.functional.max_pool2d(
                given, layer.kernel, layer.stride, layer.padding
            ).numpy()
        else:
            kernel = layer.weight.reshape(*layer.kernel, x.shape[-1], -1).transpose(3, 2, 0, 1)
            found = torch.nn.functional.conv2d(
                given,
                torch.tensor(kernel.astype(np.float64)),
                torch.tensor(layer.bias.astype(np.float64)),
                layer.stride,
                layer.padding,
            ).numpy()
        sums = found.transpose(0, 2, 3, 1).reshape(*x.shape[:2], -1, found.shape[1])
        if layer.KIND == "convolution":
            sums = layer.neuron.fire(sums.astype(np.int64), graph.steps)
        assert np.array_equal(kept[layer.name], sums)


def test_a_corner_by_hand():
    """A kernel of 1..9 on an image of ones: the first corner sees its lower right part, 5 + 6 + 8 +
    9, the middle all of it. After two steps without leak, six sums have reached 45."""
    conv = replace(
        GRAPH.layer("stem.conv0"),
        weight=np.arange(1, 10).reshape(9, 1),
        bias=np.array([0]),
        neuron=replace(GRAPH.layer("stem.conv0").neuron, threshold=45, leak=0),
    )
    layers = (conv, replace(GRAPH.classifier, inputs=(conv.name,), weight=np.full((1, 3), 1)))
    graph = Graph(name="corner", steps=2, image=(3, 3, 1), pixel_bits=8, layers=layers)
    spikes = golden.run(graph, np.ones((1, 3, 3, 1)), keep=True).spikes[conv.name]
    sums = [28, 39, 24, 33, 45, 27, 16, 21, 12]
    assert spikes[0, 0, :, 0].tolist() == [int(one >= 45) for one in sums]
    assert spikes[0, 1, :, 0].tolist() == [int(2 * one >= 45) for one in sums]


def test_signals():
    """Tokens are places of a grid; sums of spikes reach 2."""
    assert GRAPH.signals["stem.conv3"] == Spikes(2, 12, 8, grid=(4, 3))
    assert GRAPH.signals["stem.x"] == Spikes(2, 4, 8, high=2, grid=(2, 2))
    assert GRAPH.signals["x2"].high == 4
    assert GRAPH.tokens == 4


def test_bounds_hold():
    graph = stem_network(steps=5)
    result = golden.run(graph, np.full((1, *graph.image), 255, np.uint8), keep=True)
    conv = graph.layer("stem.conv1")
    source = result.spikes["stem.conv0"][0].reshape(5, 8, 6, 3)
    sums = reference.convolution(conv, source.astype(int))
    bounds = graph.bounds[conv.name].current
    assert bounds.low <= sums.min()
    assert sums.max() <= bounds.high


def test_file():
    """The same bytes again, and defaults of stride and padding."""
    data = file.to_bytes(GRAPH)
    assert file.to_bytes(file.from_bytes(data)) == data
    description = json.loads(json.dumps(GRAPH.to_json()))
    del description["layers"][0]["stride"], description["layers"][0]["padding"]
    plain = Graph.from_json(description, GRAPH.tensors())
    assert plain.layers[0].stride == (1, 1)
    assert plain.signals["stem.conv0"].grid == (6, 4)


def field(layer, **values):
    def change(layers):
        layers[layer] |= values

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            field("stem.conv0", kernel=[3]),
            "layer stem.conv0: kernel is [3]; it must be a list of 2",
        ),
        (
            field("stem.conv0", kernel=[3, 17]),
            "layer stem.conv0: kernel is 17; it must be in 1..16",
        ),
        (field("stem.conv0", kernel="33"), "layer stem.conv0: kernel is '33'; it must be a list"),
        (field("stem.conv0", stride=[0, 1]), "layer stem.conv0: stride is 0; it must be in 1..16"),
        (
            field("stem.conv0", stride=[1.5, 1]),
            "layer stem.conv0: stride is 1.5; it must be a whole",
        ),
        (field("stem.conv0", padding=[3, 1]), "layer stem.conv0: padding is 3; it must be in 0..2"),
        (
            field("stem.conv0", padding=[-1, 1]),
            "layer stem.conv0: padding is -1; it must be in 0..2",
        ),
        (field("stem.conv0", padding=1), "layer stem.conv0: padding is 1; it must be a list of 2"),
        (
            field("stem.conv0", kernel=[3, 1], padding=[1, 0]),
            "layer stem.conv0: weight has 27 rows and a window has 9 values; make them equal",
        ),
        (
            field("stem.pool3", kernel=[9, 9], padding=[0, 0]),
            "layer stem.pool3: kernel 9 x 9 is larger than its input of 4 x 3 with padding [0, 0]",
        ),
        (
            field("stem.pool3", form="mean"),
            "layer stem.pool3: form 'mean' does not exist; forms of",
        ),
        (
            field("stem.x", inputs=["image", "stem.rpe"]),
            "layer stem.x: input image is an image; residual takes spikes",
        ),
        (
            field("stem.pool3", inputs=["stem.conv3", "stem.conv3"]),
            "layer stem.pool3: has 2 inputs; kind pooling takes 1",
        ),
        (
            field("stem.x", inputs=["stem.conv3", "stem.rpe"]),
            "layer stem.x: inputs have different numbers of tokens: stem.conv3 12, stem.rpe 4",
        ),
    ],
)
def test_refused(change, message):
    description = json.loads(json.dumps(GRAPH.to_json()))
    change({layer["name"]: layer for layer in description["layers"]})
    with pytest.raises(InputError) as caught:
        Graph.from_json(description, GRAPH.tensors())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_engine_refuses():
    """A convolution of sums in one line; the golden model evaluates the network without cycles."""
    layers = [replace(one, form="sum") if one.KIND == "pooling" else one for one in GRAPH.layers]
    graph = replace(GRAPH, layers=tuple(layers))
    message = "layer stem.pool3: is a sum that the engine computes in the layer behind it"
    with pytest.raises(InputError, match=message):
        compile_network(graph)
    core = network_core(graph)()
    assert message in core.refusal
    images = random_images(graph, 4)
    result = evaluate(core, images, golden.run(graph, images).labels)
    assert (result.accuracy, result.cycles) == (1.0, None)


def test_image_streams_pixel_by_pixel():
    port = network_core(GRAPH)().inputs["image"]
    (image,) = random_images(GRAPH, 1)
    assert np.array_equal(port.restore(port.arrange(image)), image)
