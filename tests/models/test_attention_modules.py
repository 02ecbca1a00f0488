"""Attention as modules for a user's own network: equal to the golden model, bit for bit."""

from importlib.util import find_spec

import numpy as np
import pytest

from spikeloom.networks.layers import Attention
from spikeloom.networks.neuron import Neuron
from spikeloom.networks.signals import Spikes

from .needs_torch import NEEDS_TORCH

if find_spec("torch") is not None:
    import torch

    from spikeloom_models.torch import (
        A2OS2AAttention,
        SpikeDrivenAttention,
        SpikformerAttention,
    )

pytestmark = NEEDS_TORCH


def operands(steps, batch, heads, tokens, dims, ranges, seed=1):
    """Arrays [T, B, H, N, D] of integers in these ranges."""
    rng = np.random.default_rng(seed)
    shape = (steps, batch, heads, tokens, dims)
    return [rng.integers(low, high + 1, shape) for low, high in ranges]


def golden_attention(qkv, ranges, **fields):
    """What the layer of a network makes of operands [T, B, H, N, D]."""
    steps, _, heads, tokens, dims = qkv[0].shape
    sources = [Spikes(steps, tokens, heads * dims, high, low) for low, high in ranges]
    layer = Attention(name="attention", inputs=("q", "k", "v"), heads=heads, **fields)
    layer.output(sources)
    dtype = {-1: np.int8, 0: np.uint8}
    # (T, B, H, N, D) as (B, T, N, H D)
    inputs = [
        x.transpose(1, 0, 3, 2, 4).reshape(x.shape[1], steps, tokens, -1).astype(dtype[low])
        for x, (low, _) in zip(qkv, ranges, strict=True)
    ]
    out = layer.compute(sources, inputs)
    return out.reshape(len(out), steps, tokens, heads, dims).transpose(1, 0, 3, 2, 4)


def computed(module, qkv):
    """What a module makes of them, in evaluation mode."""
    with torch.no_grad():
        out = module.eval()(*(torch.from_numpy(x).float() for x in qkv))
    return out.numpy()


SPIKES, TERNARY, WIDE = (0, 1), (-1, 1), (0, 7)


@pytest.mark.parametrize(
    ("form", "ranges", "threshold"),
    [
        ("spikformer", [SPIKES] * 3, 40.0),
        ("a2os2a", [SPIKES, WIDE, TERNARY], 55.0),
        ("spike-driven", [SPIKES] * 3, 5.0),
    ],
)
@pytest.mark.parametrize("sizes", [(4, 3, 2, 17, 16), (1, 2, 1, 1, 5), (7, 1, 3, 20, 9)], ids=str)
def test_module_equals_the_golden_model(form, ranges, threshold, sizes):
    modules = (SpikformerAttention, A2OS2AAttention, SpikeDrivenAttention)
    (kind,) = (module for module in modules if form == module.FORM)
    module = kind(threshold=threshold)
    module.quantise()
    qkv = operands(*sizes, ranges)
    rounded = 2 * round(threshold / 2)
    assert int(module.threshold) == rounded
    expected = golden_attention(qkv, ranges, form=form, neuron=Neuron(threshold=rounded))
    if sizes[3] > 1:
        assert 0.02 < expected.mean() < 0.9
    assert np.array_equal(computed(module, qkv), expected)
