"""Attention of forms that run a core for each head: `ssa` and `spiked`."""

import json
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from spikeloom.cores.spiked import golden as spiked_golden
from spikeloom.cores.spiked.core import Spiked
from spikeloom.cores.ssa import golden as ssa_golden
from spikeloom.cores.ssa.core import SSA
from spikeloom.errors import InputError
from spikeloom.networks import file, golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.graph import Graph
from spikeloom.networks.layers import Attention
from spikeloom.networks.layers.stochastic import head_seed
from spikeloom.networks.neuron import NO_NEURON, Neuron
from spikeloom.networks.signals import Spikes
from tests.networks.random_network import random_images, random_network

SCALES = {"base": 1.4, "q": 1.0, "k": 1.0, "v": 1.0, "score": 2.0, "output": 1.0}
NAMES = ("q", "k", "v")


def attention(form, heads=2, **fields):
    fields = {"seed": 5} | fields if form == "ssa" else {"scales": SCALES} | fields
    return Attention(name="a", inputs=NAMES, form=form, heads=heads, **fields)


def operands(*, batch=3, steps=4, tokens=5, dims=6, values=8, low=0, density=0.5, seed=1):
    rng = np.random.default_rng(seed)
    arrays, signals = [], []
    for width in (dims, dims, values):
        spikes = (rng.random((batch, steps, tokens, width)) < density).astype(np.int8)
        if low:
            spikes *= rng.choice([-1, 1], spikes.shape).astype(np.int8)
        arrays.append(spikes if low else spikes.astype(np.uint8))
        signals.append(Spikes(steps, tokens, width, low=low))
    return signals, arrays


@pytest.mark.parametrize("sizes", [{}, {"steps": 1, "tokens": 1}, {"dims": 2, "values": 10}])
def test_ssa_is_its_core(sizes):
    """Head by head and image by image, with the seed of the head."""
    signals, arrays = operands(**sizes)
    layer = attention("ssa")
    found = layer.compute(signals, arrays)
    for image, *qkv in zip(found, *arrays, strict=True):
        for head in range(2):
            q, k, v = (np.split(x, 2, axis=2)[head] for x in qkv)
            config = SSA(
                **{"tokens": q.shape[1], "head_dim": q.shape[2], "value_dim": v.shape[2]},
                **{"steps": len(q), "engine": "sampled", "seed": head_seed(5, head)},
            )
            expected = ssa_golden.run(config, q, k, v)
            assert np.array_equal(np.split(image, 2, axis=2)[head], expected)
    assert found.dtype == np.uint8
    assert np.array_equal(layer.compute(signals, [x[:1] for x in arrays]), found[:1])


def test_ssa_approaches_the_product():
    """The mean over 600 layers' seeds is Q K^T V / (D N), within five standard deviations."""
    signals, arrays = operands(batch=1, steps=2, density=0.8)
    drawn = [attention("ssa", seed=n + 1).compute(signals, arrays)[0] for n in range(600)]
    q, k, v = (x[0].astype(float).reshape(2, 5, 2, -1) for x in arrays)
    expected = np.einsum("tihd,tjhd,tjhe->tihe", q, k, v).reshape(2, 5, 8) / (3 * 5)
    deviation = np.sqrt(np.maximum(expected * (1 - expected), 1e-3) / 600)
    assert np.all(np.abs(np.mean(drawn, axis=0) - expected) < 5 * deviation)


def test_seeds_of_heads():
    """SplitMix64 of seed 1234567 begins with these numbers; neighbours share none."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [head_seed(1234567, head) for head in range(3)] == published
    seeds = {head_seed(seed, head) for seed in range(1, 50) for head in range(16)}
    assert len(seeds) == 49 * 16


@pytest.mark.parametrize("low", [0, -1])
def test_spiked_is_its_core(low):
    signals, arrays = operands(steps=8, low=low, density=0.3)
    found = attention("spiked").compute(signals, arrays)
    for image, *qkv in zip(found, *arrays, strict=True):
        for head in range(2):
            codes = [
                spiked_golden.from_spike_train(np.split(x.astype(np.int8), 2, axis=2)[head])
                for x in qkv
            ]
            scales = {f"{name}_scale": value for name, value in SCALES.items() if name != "base"}
            config = Spiked(tokens=5, head_dim=3, value_dim=4, steps=8, base=1.4, **scales)
            expected = spiked_golden.to_spike_train(config, spiked_golden.run(config, *codes))
            assert np.array_equal(np.split(image, 2, axis=2)[head], expected)
    assert found.any()
    assert np.abs(found).sum(1).max() == 1  # one spike of a neuron


def test_spiked_is_softmax_attention():
    """Values of the codes, with 16 steps: within a few percent of the softmax in floating point."""
    signals, arrays = operands(batch=1, steps=16, tokens=9, dims=8, values=8, low=-1, density=0.2)
    layer = attention("spiked", heads=1, scales=SCALES | {"base": 1.2, "score": 3.0})
    config = Spiked(tokens=9, head_dim=8, steps=16, base=1.2)
    values = [
        spiked_golden.decode(config, spiked_golden.from_spike_train(x[0].astype(np.int8)))
        for x in (*arrays, layer.compute(signals, arrays))
    ]
    q, k, v, found = values
    exact = np.exp(q @ k.T / 8**0.5)
    exact = exact / exact.sum(1, keepdims=True) @ v
    assert np.abs(found - exact).mean() < 0.05


@pytest.mark.parametrize("form", ["ssa", "spiked"])
def test_in_a_network(form):
    """File, golden model in two chunkings; the engine refuses phase codes."""
    graph = random_network(image=(4, 6, 1), patch=(2, 2), dims=6, hidden=5, blocks=2, classes=3)
    layers = []
    for n, layer in enumerate(graph.layers):
        if isinstance(layer, Attention):
            fields = {"seed": n + 1} if form == "ssa" else {"scales": SCALES}
            layer = replace(layer, form=form, neuron=NO_NEURON, **fields)
        layers.append(layer)
    if form == "spiked":  # whose spikes are ternary: a linear layer reads them
        assert layers[5].name == "block0.proj"
    changed = replace(graph, layers=tuple(layers))
    data = file.to_bytes(changed)
    assert file.to_bytes(file.from_bytes(data)) == data
    images = random_images(changed, 5)
    whole = golden.run(changed, images, keep=True)
    assert whole.counts["block0.attention"].any()
    one = golden.run(changed, images[3:4])
    assert np.array_equal(one.logits[0], whole.logits[3])
    if form == "ssa":
        assert compile_network(changed).heads
        return
    with pytest.raises(InputError, match=r"input block0\.q is no phase code; the engine takes"):
        compile_network(changed)


@pytest.mark.parametrize(
    ("form", "fields", "message"),
    [
        ("ssa", {"seed": None}, "layer a: attention of form ssa needs field 'seed'; add it"),
        ("ssa", {"seed": 0}, "layer a: seed is 0; it must be in 1..18446744073709551615"),
        ("ssa", {"seed": 2**64}, "layer a: seed is 18446744073709551616; it must be in"),
        ("ssa", {"seed": 1.5}, "layer a: seed is 1.5; it must be a whole number"),
        ("ssa", {"scales": SCALES}, "layer a: attention of form ssa has no field 'scales'; remove"),
        (
            "ssa",
            {"neuron": Neuron(threshold=2)},
            "layer a: neuron kind is lif; attention of form ssa has no neurons",
        ),
        ("spiked", {"scales": None}, "layer a: attention of form spiked needs field 'scales'"),
        ("spiked", {"scales": [1]}, "layer a: scales is [1], not an object; give its fields"),
        ("spiked", {"scales": {"base": 2}}, "layer a: scales has no field 'q'; add it"),
        ("spiked", {"scales": SCALES | {"x": 1}}, "layer a: scales has an unknown field 'x'"),
        ("spiked", {"scales": SCALES | {"q": "1"}}, "layer a: q of scales is '1'; it must be a"),
        ("spiked", {"scales": SCALES | {"q": nan}}, "layer a: spiked: q_scale = nan"),
        ("spiked", {"scales": SCALES | {"v": inf}}, "layer a: spiked: v_scale = inf"),
        ("spiked", {"scales": SCALES | {"k": 0}}, "layer a: spiked: k_scale = 0"),
        ("spiked", {"scales": SCALES | {"base": 3}}, "layer a: spiked: base = 3"),
        ("spiked", {"scales": SCALES | {"score": 1e300}}, "layer a: spiked: score_scale = 1e+300"),
    ],
)
def test_refused(form, fields, message):
    with pytest.raises(InputError) as caught:
        attention(form, **fields).output(operands()[0])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_equal_seeds_are_refused():
    graph = random_network(image=(4, 4, 1), patch=(2, 2), dims=4, hidden=3, blocks=2, classes=3)
    description = json.loads(json.dumps(graph.to_json()))
    for layer in description["layers"]:
        if layer["kind"] == "attention":
            layer |= {"form": "ssa", "seed": 7, "neuron": {"kind": "none"}}
    with pytest.raises(InputError, match=r"layer block1.attention: has the seed 7 of block0.att"):
        Graph.from_json(description, graph.tensors())


def test_inputs_of_wrong_values():
    signals, _ = operands(low=-1)
    with pytest.raises(InputError, match=r"layer a: input q holds -1..1; attention takes spikes"):
        attention("ssa").output(signals)
    with pytest.raises(InputError, match=r"layer a: input q holds 0..2; attention takes spikes"):
        attention("spiked").output([replace(signals[0], high=2, low=0), *signals[1:]])
