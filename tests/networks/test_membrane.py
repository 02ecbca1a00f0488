"""Networks whose residual stream are currents, as Spike-driven Transformer's."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import file, golden
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import Classifier, Convolution, Linear, Neurons, Pooling, Residual
from spikeloom.networks.neuron import NO_NEURON, Neuron
from spikeloom.networks.signals import Currents, Spikes
from tests.networks import reference
from tests.networks.random_network import Builder, random_images

PAIRS = {"kernel": (3, 3), "padding": (1, 1)}


def membrane_network(*, steps=3, image=(6, 8, 2), dims=6, leak=1, reset="hard", seed=1):
    """Convolutions, pooled before the neurons; a block with attention `spike-driven` and an MLP;
    the mean over all tokens before the last neurons."""
    build = Builder(np.random.default_rng(seed), 8, leak, reset)
    layers = build.layers

    def weighted(kind, name, source, rows, outputs, spread, spiking, **fields):
        neuron = build.neuron(spread * rows**0.5 * 32) if spiking else NO_NEURON
        bias = build.bias(outputs, int(spread * rows**0.5 * 8))
        weight = build.weight(rows, outputs)
        layers.append(
            kind(
                **{"name": name, "inputs": (source,), "weight": weight, "bias": bias},
                **{"neuron": neuron, **fields},
            )
        )

    def residual(name, *sources):
        layers.append(Residual(name=name, form="membrane", inputs=sources))

    def neurons(name, source, threshold):
        layers.append(Neurons(name=name, inputs=(source,), neuron=build.neuron(threshold)))

    weighted(Convolution, "conv0", "image", 9 * image[2], 4, 100, spiking=True, **PAIRS)
    weighted(Convolution, "conv1", "conv0", 36, dims, 1, spiking=False, **PAIRS)
    pool = {"kernel": (3, 3), "stride": (2, 2), "padding": (1, 1)}
    layers.append(Pooling(name="pool", inputs=("conv1",), form="max", **pool))
    neurons("pool.neurons", "pool", 200)
    weighted(Convolution, "rpe", "pool.neurons", 9 * dims, dims, 1, spiking=False, **PAIRS)
    residual("u0", "pool", "rpe")
    neurons("x0", "u0", 300)
    for operand in "qkv":
        weighted(Linear, operand, "x0", dims, dims, 1, spiking=True)
    build.attention("attention", ("q", "k", "v"), "spike-driven", 1, 12, dims)
    weighted(Linear, "proj", "attention", dims, dims, 1, spiking=False)
    residual("u1", "u0", "proj")
    neurons("x1", "u1", 300)
    weighted(Linear, "fc1", "x1", dims, 5, 1, spiking=True)
    weighted(Linear, "fc2", "fc1", 5, dims, 1, spiking=False)
    residual("u2", "u1", "fc2")
    grid = (image[0] + 1) // 2, (image[1] + 1) // 2
    layers.append(Pooling(name="mean", inputs=("u2",), form="sum", kernel=grid, stride=(1, 1)))
    neurons("x2", "mean", 300 * grid[0] * grid[1])
    weight = build.weight(dims, 3)
    layers.append(Classifier(name="head", inputs=("x2",), weight=weight, bias=build.bias(3, 50)))
    return Graph(name="membrane", steps=steps, image=image, layers=tuple(layers))


GRAPH = membrane_network()


@pytest.mark.parametrize(
    "case", [{}, {"leak": 0, "reset": "soft"}, {"steps": 1, "image": (3, 2, 1)}]
)
def test_golden_is_the_equations(case):
    fired = set()
    for seed in range(3):
        graph = membrane_network(**case, seed=seed)
        images = random_images(graph, 3, seed, density=0.8)
        result = golden.run(graph, images, keep=True)
        for n, image in enumerate(images):
            expected = reference.run(graph, image)
            for name, spikes in result.spikes.items():
                assert np.array_equal(spikes[n], expected[name]), (name, n)
                fired |= {name} if spikes[n].any() else set()
            assert np.array_equal(result.logits[n], expected["head"])
    assert {"conv0", "pool.neurons", "x0", "q", "k", "v", "x1", "fc1", "x2"} <= fired


def test_signals():
    """Ranges of currents add up; what is kept of the result are spikes."""
    conv, rpe = GRAPH.signals["conv1"], GRAPH.signals["rpe"]
    assert isinstance(conv, Currents)
    assert isinstance(rpe, Currents)
    assert GRAPH.signals["u0"] == Currents(
        3, 12, 6, conv.high + rpe.high, conv.low + rpe.low, (3, 4)
    )
    assert GRAPH.bounds["u0"].current.high == conv.high + rpe.high
    mean = GRAPH.signals["mean"]
    assert isinstance(mean, Currents)
    assert mean.high == 12 * GRAPH.bounds["u2"].current.high
    assert GRAPH.signals["x2"] == Spikes(3, 1, 6, grid=(1, 1))
    result = golden.run(GRAPH, random_images(GRAPH, 2), keep=True)
    assert "u0" not in result.spikes
    assert result.additions["u0"].tolist() == [3 * 12 * 6] * 2


def test_bounds_hold():
    expected = reference.run(GRAPH, np.full(GRAPH.image, 255))
    for name, signal in GRAPH.signals.items():
        if isinstance(signal, Currents):
            assert signal.low <= expected[name].min()
            assert expected[name].max() <= signal.high


def test_sum_of_spikes():
    """A pooling that sums spikes gives integers, which a linear layer reads; ternary ones too."""
    for kind, expected in (("lif", 6), ("ternary", -6)):
        neuron = Neuron(threshold=2, leak=0, kind=kind)
        conv = replace(GRAPH.layer("conv0"), neuron=neuron, bias=np.array([3, -3, 3, -3]))
        conv = replace(conv, weight=np.zeros((18, 4), int))
        pool = Pooling(name="p", form="sum", inputs=("conv0",), kernel=(2, 3), stride=(2, 3))
        head = replace(
            GRAPH.classifier, inputs=("p",), weight=np.eye(4, 3, dtype=int), bias=[0] * 3
        )
        graph = Graph(name="sum", steps=2, image=(4, 6, 2), layers=(conv, pool, head))
        assert graph.signals["p"].high == 6
        result = golden.run(graph, np.zeros((1, 4, 6, 2), int), keep=True)
        assert result.spikes["p"][0, 0, 0].tolist() == [6, min(0, expected), 6, min(0, expected)]
        assert result.logits.tolist() == [[48, 8 * min(0, expected), 48]]


def test_file():
    data = file.to_bytes(GRAPH)
    assert file.to_bytes(file.from_bytes(data)) == data
    described = {
        layer["name"]: layer for layer in json.loads(json.dumps(GRAPH.to_json()))["layers"]
    }
    assert described["proj"]["neuron"] == {"kind": "none"}


def test_refused():
    short = Residual(name="u1", form="membrane", inputs=("u0",))
    with pytest.raises(InputError, match="layer u1: has 1 input; kind residual takes 2"):
        short.output([GRAPH.signals["u0"]])
    pair = Residual(name="u1", form="membrane", inputs=("u0", "fc2"))
    other = replace(GRAPH.signals["u0"], dims=5)
    with pytest.raises(InputError, match="layer u1: inputs have different shapes: u0 is currents"):
        pair.output([GRAPH.signals["u0"], other])
    wide = [replace(GRAPH.signals["u0"], high=2**24)] * 2
    assert pair.output(wide).high == 2**25
    layers = [
        replace(one, bias=one.bias + 2**23) if one.name == "fc2" else one for one in GRAPH.layers
    ]
    with pytest.raises(InputError, match="layer fc2: its sums reach 8388"):
        replace(GRAPH, layers=tuple(layers))
