"""The Spikformer that SpikingJelly 2.0 ships, run as it is, spikes as the imported network does."""

# pyright: reportMissingImports=false

from importlib.util import find_spec

import numpy as np
import pytest

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        not (find_spec("spikingjelly") and find_spec("spikingjelly.activation_based.model"))
        or find_spec("spikingjelly.activation_based.model.spikformer") is None,
        reason="SpikingJelly 2 is not installed: pip install spikingjelly==2.0.0",
    ),
]
SETTINGS = {"heads": "4", "mean": "0.286", "std": "0.353"}


@pytest.fixture(scope="module", params=[(4, 28, "0,0,1,1"), (16, 56, "1,1,1,1")], ids=str)
def case(request):
    """Images, the spikes of all neurons and the logits of the library, and the imported network."""
    import torch
    from spikingjelly.activation_based import functional, neuron
    from spikingjelly.activation_based.model.spikformer import Spikformer

    from spikeloom_models.data import fashion_sample
    from spikeloom_models.importers.registry import Keys, architectures

    from .spikformer_reference import lively

    patch, size, pools = request.param
    torch.manual_seed(0)
    shape = {"img_size_h": size, "img_size_w": size, "patch_size": patch, "in_channels": 1}
    model = Spikformer(
        **shape, T=4, num_classes=10, embed_dims=32, num_heads=4, mlp_ratio=2, depths=2
    )
    images = fashion_sample().images[:16].repeat(size // 28, 1).repeat(size // 28, 2)
    given = (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - 0.286) / 0.353
    lively(model, given)
    functional.reset_net(model)
    spikes = []
    for module in model.modules():
        if isinstance(module, neuron.LIFNode):
            module.register_forward_hook(lambda _, __, output: spikes.append(output))
    with torch.no_grad():
        logits = model(given).mean(0)
    imported, keys = architectures()["spikingjelly-spikformer"], Keys(model.state_dict())
    network = imported.build(keys, imported.values(SETTINGS | {"image": str(size), "pools": pools}))
    keys.close()
    return images, spikes, logits, network


def test_spikes_are_those_of_the_library(case):
    import torch

    images, spikes, logits, network = case
    signals = network.signals(torch.from_numpy(images))
    names = [layer.name for layer in network.layers if getattr(layer, "neuron", None)]
    parts = iter(names)
    for output in spikes:
        found = signals[next(parts)]
        if output.shape[2] == 3 * found.shape[-1]:  # the library's layer of q, k and v
            found = torch.cat([found, signals[next(parts)], signals[next(parts)]], -1)
        assert 0.001 < output.mean() < 0.99
        channels_first = found.transpose(-1, -2)
        assert torch.equal(output.reshape(channels_first.shape), channels_first)
    assert next(parts, None) is None
    assert torch.allclose(signals["head"], logits, atol=1e-5)


def test_integers_are_the_rounded_network(case):
    """Each layer, given the floating-point network's inputs, differs by the rounding of weights
    alone; stages that pool currents have a scale of their own."""
    import torch

    from spikeloom.networks.signals import Currents
    from spikeloom_models.quantise import _Context, quantise

    images, _, _, network = case
    floats, graph = network.signals(torch.from_numpy(images)), quantise(network).graph
    scales = _Context(network, 8, 8, {}).scales
    exact = {"image": images}
    for name, signal in graph.signals.items():
        if name in ("image", "head"):
            continue
        value = floats[name].numpy().swapaxes(0, 1)
        currents = isinstance(signal, Currents)
        exact[name] = np.rint(value * scales[name]).astype(np.int32) if currents else value
        exact[name] = exact[name].astype(np.int32 if currents else np.uint8)
    for layer in graph.layers[:-1]:
        found = layer.compute(graph.sources(layer), [exact[name] for name in layer.inputs])
        if isinstance(graph.signals[layer.name], Currents):
            error = np.abs(found - exact[layer.name]).mean()
            assert error < 0.05 * exact[layer.name].std(), layer.name
        else:
            assert (found != exact[layer.name]).mean() < 0.03, layer.name
