"""The heads of the shipped converted vision transformer, on the RTL of the core `spiked`."""

import numpy as np
import pytest

from spikeloom.cores import find_core
from spikeloom.cores.spiked.golden.phase_code import from_spike_train
from spikeloom.networks import golden
from spikeloom.networks.layers import Attention
from spikeloom.networks.layers.phase_coded import PhaseCoded
from spikeloom_models.data import fashion_sample
from spikeloom_sim.backends import RTL


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
