"""The shipped converted vision transformer in hardware: its heads, its layers, and the whole."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.backend import Golden, compare
from spikeloom.cores import find_core
from spikeloom.cores.spiked.golden.phase_code import from_spike_train
from spikeloom.networks import golden
from spikeloom.networks.layers import Attention
from spikeloom.networks.layers.phase_coded import PhaseCoded
from spikeloom_models.data import fashion_sample
from spikeloom_sim.backends import RTL
from tests.networks.test_engine import check_graph


@pytest.mark.long
@pytest.mark.parametrize("block", [0, 1])
def test_heads_on_the_rtl(block):
    """Operands are those of real images: dense, of trained weights."""
    graph = find_core("fashion-spiked").GRAPH
    (layer,) = (
        layer
        for layer in graph.layers
        if isinstance(layer, Attention) and layer.name.startswith(f"block{block}.")
    )
    core = PhaseCoded().config(layer, [graph.signals[name] for name in layer.inputs])
    images = golden.with_positions(graph, fashion_sample().images[:2])
    spikes = golden.run(graph, images, keep=True).spikes
    runs, expected = [], []
    for image in range(len(images)):
        q, k, v, o = (
            [from_spike_train(part) for part in np.split(spikes[name][image], layer.heads, -1)]
            for name in (*layer.inputs, layer.name)
        )
        runs += [{"q": q[h], "k": k[h], "v": v[h]} for h in range(layer.heads)]
        expected += o
    found = RTL().run(core, runs)
    for operands, run, output in zip(runs, found, expected, strict=True):
        assert np.array_equal(run.outputs["o"], output)
        assert run.cycles == core.cycles(**operands)


@pytest.mark.slow
def test_layers_on_two_patches():
    """All layers with their trained weights, on the engine, for the middle of a real image."""
    whole = find_core("fashion-spiked").GRAPH
    graph = replace(whole, image=(4, 8, 2))
    images = fashion_sample().images[:1, 12:16, 8:16]  # the engine adds the channel of positions
    counts = golden.run(graph, images).counts
    assert min(count.min() for count in counts.values()) > 10
    check_graph(graph, images, {"lanes": 32})


@pytest.mark.slow
def test_the_whole_network():
    """Two real images; the simulation of the engine and its cores takes minutes to build."""
    core = find_core("fashion-spiked")(lanes=32)
    batch = [{"image": image} for image in fashion_sample().images[:2]]
    found = RTL().run(core, batch)
    assert not compare(found, Golden().run(core, batch))
    for run, operands in zip(found, batch, strict=True):
        assert run.cycles == core.cycles(**operands)
