"""Convolutions and poolings on the engine, against the golden model: outputs, and exact cycles."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks.engine import compile_network
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import Classifier, Convolution, Linear, Pooling, Residual
from spikeloom.networks.layers.weighted import Weighted
from tests.networks.random_network import Builder, random_images
from tests.networks.stem import stem_network
from tests.networks.test_engine import check_graph

SAME = {"kernel": (3, 3), "padding": (1, 1)}


def conv(outputs, inputs=None, **fields):
    return Convolution, outputs, inputs, SAME | fields


def linear(outputs, inputs=None):
    return Linear, outputs, inputs, {}


def pool(form, **fields):
    return Pooling, form, None, SAME | {"stride": (2, 2)} | fields


def residual(form, *inputs):
    return Residual, form, inputs, {}


def chain(
    *layers, image=(3, 4, 1), steps=2, pixel_bits=3, leak=1, reset="hard", weight_bits=8, seed=1
):
    """A network of layers "0", "1", ..., each of which reads the one before, if it does not name
    its inputs, and a classifier."""
    build = Builder(np.random.default_rng(seed), weight_bits, leak, reset)
    channels = {"image": image[2]}
    previous = "image"
    for n, (kind, what, inputs, fields) in enumerate(layers):
        name, inputs = f"layer{n}", inputs or (previous,)
        dims = channels[inputs[0]]
        if kind in (Pooling, Residual):
            build.layers.append(kind(name=name, inputs=inputs, form=what, **fields))
        else:
            height, width = fields.get("kernel", (1, 1))
            rows, high = height * width * dims, 1
            if inputs == ("image",):
                high = 1 << pixel_bits
            spread = (1 << (weight_bits - 1)) * high * rows**0.5 / 4
            weights = {"weight": build.weight(rows, what), "weight_bits": weight_bits}
            weights |= {"bias": build.bias(what, int(spread / 4)), "neuron": build.neuron(spread)}
            build.layers.append(kind(name=name, inputs=inputs, **weights, **fields))
            dims = what
        channels[name] = dims
        previous = name
    head = Classifier(
        name="head",
        inputs=(previous,),
        weight=build.weight(dims, 2),
        bias=build.bias(2, 9),
        weight_bits=weight_bits,
    )
    shape = {"steps": steps, "image": image, "pixel_bits": pixel_bits}
    return Graph(name="windows", layers=(*build.layers, head), **shape)


# Layers, sizes of the network, and of the engine.
QUICK = {
    "spikes, stride 2, 4 lanes": ([conv(3), conv(5, stride=(2, 2))], {}, {"lanes": 4}),
    "largest, one step, 16 lanes": ([conv(3), pool("max"), linear(4)], {"steps": 1}, {"lanes": 16}),
    "sums of windows, and of all": (
        [conv(3), pool("sum", kernel=(2, 2), padding=(0, 0)), linear(5)],
        {"image": (4, 5, 1), "leak": 0, "reset": "mixed"},
        {},
    ),
    "border, a grid of 2 x 4": (
        [conv(4, border=(255, 90), padding=(1, 0))],
        {"image": (2, 4, 2), "pixel_bits": 4},
        {},
    ),
}
LONG = {
    "sums of residuals, oblong": (
        [
            conv(5, stride=(2, 1), kernel=(3, 5), padding=(0, 2)),
            conv(5),
            residual("add", "layer0", "layer1"),
            conv(3, kernel=(2, 3), padding=(1, 0)),
            pool("max", kernel=(1, 2), stride=(1, 1), padding=(0, 1)),
        ],
        {"image": (6, 5, 3), "steps": 3, "weight_bits": 6},
        {"lanes": 16, "weights": "loaded"},
    ),
    "a branch that clears spikes, a mean": (
        [
            conv(4),
            pool("max"),
            conv(4),
            residual("iand", "layer1", "layer2"),
            pool("sum", kernel=(2, 2), stride=(1, 1), padding=(0, 0)),
        ],
        {"reset": "soft"},
        {},
    ),
    "channels of several pieces": (
        [conv(20, border=tuple(range(0, 200, 10))), conv(18), pool("max"), linear(3)],
        {"image": (2, 3, 20), "pixel_bits": 2, "weight_bits": 4},
        {"lanes": 32},
    ),
    "one place": (
        [conv(2, kernel=(1, 1), padding=(0, 0)), pool("sum", kernel=(1, 1), padding=(0, 0))],
        {"image": (1, 1, 3), "steps": 5},
        {"lanes": 64},
    ),
    "windows within windows": (
        [conv(3), pool("max"), conv(3, stride=(2, 2)), pool("max"), conv(4)],
        {"image": (7, 9, 1), "steps": 1},
        {"bit_enables": True},
    ),
}


@pytest.mark.parametrize("case", QUICK)
def test_equal(case):
    layers, sizes, engine = QUICK[case]
    graph = chain(*layers, **sizes)
    check_graph(graph, random_images(graph, 2, density=0.8), {"lanes": 8} | engine)


@pytest.mark.long
@pytest.mark.parametrize("case", LONG)
def test_equal_more(case):
    layers, sizes, engine = LONG[case]
    graph = chain(*layers, **sizes)
    check_graph(graph, random_images(graph, 2, density=0.8), {"lanes": 8} | engine, stalls=0.3)
    check_graph(graph, random_images(graph, 1, 2), {"lanes": 4} | engine)


@pytest.mark.parametrize("pixel", [0, 255])
def test_all_zeros_and_all_ones(pixel):
    """No event at all, and every list as long as it can be; outside, there are none."""
    graph = chain(conv(2), conv(2), pool("max"), leak=0, image=(2, 3, 1))
    layers = []
    for layer in graph.layers:
        if isinstance(layer, Weighted):
            ones, zeros = np.ones_like(layer.weight), np.zeros_like(layer.bias)
            layer = replace(layer, weight=ones, bias=zeros)
        if isinstance(layer, Convolution):
            layer = replace(layer, neuron=replace(layer.neuron, threshold=1))
        layers.append(layer)
    dense = replace(graph, layers=tuple(layers))
    check_graph(dense, np.full((1, *dense.image), pixel, np.uint8), {"lanes": 4})


@pytest.mark.long
def test_stem():
    """A whole network that begins with Spikformer's stem."""
    graph = stem_network(image=(5, 4, 3), widths=(3, 4, 6), steps=1, pixel_bits=4)
    check_graph(graph, random_images(graph, 2, density=0.8), {"lanes": 8})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_equal_random(seed):
    """Random sizes."""
    rng = np.random.default_rng(seed)

    def pick(*values):
        return values[rng.integers(len(values))]

    def windows():
        kernel = pick(1, 2, 3), pick(1, 2, 3)
        padding = tuple(int(rng.integers(size)) for size in kernel)
        return {"kernel": kernel, "stride": (pick(1, 2, 3), pick(1, 2)), "padding": padding}

    sizes = {
        "image": (pick(3, 5, 8), pick(3, 4, 7), pick(1, 3, 17)),
        "steps": pick(1, 2, 5),
        "pixel_bits": pick(1, 3, 8),
        "leak": pick(0, 1),
        "reset": pick("hard", "soft", "mixed"),
        "weight_bits": pick(4, 6, 8),
        "seed": seed,
    }
    layers = [conv(pick(1, 3, 17), **windows()), conv(pick(2, 9, 16), **windows())]
    layers += pick([], [pool("max", **windows())], [pool("sum", **windows()), linear(3)])
    graph = chain(*layers, **sizes)
    engine = {"lanes": pick(4, 8, 16, 64), "weights": pick("initial", "loaded")}
    check_graph(graph, random_images(graph, 2, density=0.8), engine, stalls=pick(0.0, 0.4))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [conv(2), pool("sum")],
            "layer head: reads the sums of 4 windows; the engine sums one window",
        ),
        (
            [conv(2), pool("sum"), conv(3)],
            "layer layer1: is a sum that the engine computes in the layer behind it",
        ),
        (
            [conv(2), conv(2), residual("add", "layer0", "layer1"), pool("max")],
            "layer layer3: pools sums; the engine takes the largest of spikes",
        ),
    ],
)
def test_refused(layers, message):
    with pytest.raises(InputError, match=message):
        compile_network(chain(*layers))


def test_listing():
    """The listing says which windows an operation reads."""
    text = compile_network(chain(conv(3), pool("max"))).listing()
    lines = {line.split(":")[0].split()[-1]: line for line in text.splitlines() if ":" in line}
    assert ": from image at" in lines["layer0"]
    assert ": largest of layer0 at" in lines["layer1"]
    assert all("windows of 3 x 3, " in lines[layer] for layer in ("layer0", "layer1"))
