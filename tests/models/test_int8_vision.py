"""A vision transformer in 8-bit integers, on the golden models of `int8_linear` and
`int8_softmax`."""

from importlib.util import find_spec

import numpy as np
import pytest

from .needs_torch import NEEDS_TORCH
from .test_vit_conversion import images, model

if find_spec("torch") is not None:
    import torch

    from spikeloom_models.int8_vision import IntegerVision, classes

pytestmark = NEEDS_TORCH

__all__ = ["model"]  # a fixture


@pytest.fixture(scope="module")
def network(model):
    return IntegerVision(model, images(64, 1))


def test_near_floating_point(model, network):
    """Logits by correlation, and the class of most images."""
    x = images()
    with torch.no_grad():
        wanted = model(torch.from_numpy(x)).numpy()
    found = network.logits(x)
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99
    assert (classes(network.logits, x, batch=7) == wanted.argmax(1)).mean() > 0.85


def test_one_core_of_each_kind(network):
    """All layers have one shift, and their integers are operands of the core; so are those of
    attention."""
    cores = {name: network.linear_core(name, lanes=5) for name in network.layers}
    assert {core.shift for core in cores.values()} == {network.shift}
    rng = np.random.default_rng(1)
    for name, core in cores.items():
        layer = network.layers[name]
        x = rng.integers(-128, 128, (core.tokens, core.input_dim))
        operands = {"x": x, "w": layer.w, "bias": layer.bias, "scale": layer.scale}
        assert core.compute(**operands)["y"].shape == (core.tokens, core.output_dim)
        assert layer.scale.min() >= 1
    assert network.softmax_core.shift == network.softmax_shift
    assert (cores["head"].tokens, cores["block0.fc1"].activation) == (1, "relu")


def test_layer_by_layer(model, network):
    """Each layer alone, on the signals of the floating-point network, is as near as its 8 bits
    allow."""
    with torch.no_grad():
        signals = {name: x.numpy() for name, x in model.signals(torch.from_numpy(images())).items()}
    for name, source, wanted in (
        ("block0.fc1", "block0.x1", "block0.fc1"),
        ("block1.fc1", "block1.x1", "block1.fc1"),
    ):
        real, ints = network.real[name], network.layers[name]
        x = np.rint(signals[source] / real.x_scale).clip(-128, 127).astype(int)
        core = network.linear_core(name)
        for one, target in zip(x, signals[wanted], strict=True):
            found = core.compute(x=one, w=ints.w, bias=ints.bias, scale=ints.scale)["y"]
            assert np.abs(found * real.y_scale - target).max() < 6 * real.y_scale
