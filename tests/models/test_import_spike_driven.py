"""Checkpoints of the Spike-driven Transformer: currents in the stream, with one scale for all."""

# pyright: reportMissingImports=false

import numpy as np
import pytest

from .needs_torch import NEEDS_TORCH

pytestmark = NEEDS_TORCH
SETTINGS = {"heads": "4", "image": "16", "mean": "0.3", "std": "0.4"}
NEURONS = {
    "patch_embed.proj_lif": "stem0",
    **{f"patch_embed.proj_lif{n}": f"stem{n}" for n in (1, 2)},
    "patch_embed.proj_lif3": "stem.x",
    **{
        f"block.{b}.{key}_lif": f"block{b}.{name}"
        for b in (0, 1)
        for key, name in (
            *((f"attn.{part}", part) for part in "qkv"),
            *(("attn.shortcut", "x"), ("mlp.fc1", "x1"), ("mlp.fc2", "fc1")),
        )
    },
    "head_lif": "head.x",
}


@pytest.fixture(scope="module", params=[48, 32])
def case(request):
    """Images, the reference, and the imported network, with and without the first layer of the
    MLP in the stream."""
    import torch

    from spikeloom_models.importers.registry import Keys, architectures

    from .spike_driven_reference import SpikeDriven
    from .spikformer_reference import lively

    torch.manual_seed(4)
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (24, 5, 5)).astype(float)
    fine = np.kron(coarse, np.ones((1, 4, 4)))[:, 1:17, 2:18]
    images = np.clip(fine + rng.normal(0, 12, fine.shape), 0, 255).astype(np.uint8)[..., None]
    given = (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - 0.3) / 0.4
    model = lively(SpikeDriven(hidden=request.param), given, biases=(-0.3, 0.6))
    spike_driven, keys = architectures()["spike-driven"], Keys(model.state_dict())
    network = spike_driven.build(keys, spike_driven.values(SETTINGS))
    keys.close()
    with torch.no_grad():
        return images, model, model(given), network


def test_spikes_are_those_of_the_checkpoint(case):
    import torch

    images, model, logits, network = case
    signals = network.signals(torch.from_numpy(images))
    added = "block0.hidden" in signals
    for key, name in NEURONS.items():
        name = name.replace("fc1", "hidden") if added else name
        spikes = model.get_submodule(key).spikes
        if spikes.ndim == 5:
            spikes = spikes.flatten(-2).transpose(-1, -2)
        spikes = spikes.reshape(signals[name].shape)
        assert 0.01 < spikes.mean() < 0.99, name
        assert (spikes != signals[name]).float().mean() < 1e-4, name  # sums in another order
    assert torch.allclose(signals["head"], logits, atol=1e-3)


def test_integers_are_the_rounded_network(case):
    """Each layer, given the floating-point network's inputs in its integers, computes what that
    network does, within the rounding of the weights."""
    import torch

    from spikeloom.networks.signals import Currents
    from spikeloom_models.quantise import _Context, quantise

    images, _, _, network = case
    floats, graph = network.signals(torch.from_numpy(images)), quantise(network).graph
    (scale,) = {*_Context(network, 8, 8, {}).scales.values()}
    exact = {}
    for name, signal in graph.signals.items():
        value = floats[name].numpy()
        if name == "image":
            exact[name] = value
        elif isinstance(signal, Currents):
            tokens = 16 if name == "mean" else 1  # a sum, where the network has the mean
            exact[name] = np.rint(value.swapaxes(0, 1) * scale * tokens).astype(np.int32)
        elif name != "head":
            exact[name] = value.swapaxes(0, 1).astype(np.uint8)
    for layer in graph.layers[:-1]:
        found = layer.compute(graph.sources(layer), [exact[name] for name in layer.inputs])
        found = found.astype(float)
        if isinstance(graph.signals[layer.name], Currents):
            spread = exact[layer.name].std()
            assert np.abs(found - exact[layer.name]).mean() < 0.08 * spread, layer.name
        else:
            assert (found != exact[layer.name]).mean() < 0.03, layer.name
    assert graph.layer("block0.attention").neuron.threshold == 1
