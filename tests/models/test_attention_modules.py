"""Attention as modules for a user's own network: equal to the golden model, bit for bit."""

from importlib.util import find_spec

import numpy as np
import pytest

from spikeloom.cores.spiked.golden import encode_values, from_spike_train
from spikeloom.networks.layers import Attention
from spikeloom.networks.layers.phase_coded import head_core
from spikeloom.networks.neuron import Neuron
from spikeloom.networks.signals import Spikes

from .needs_torch import NEEDS_TORCH

if find_spec("torch") is not None:
    import torch

    from spikeloom_models.torch import (
        A2OS2AAttention,
        PhaseCodedAttention,
        PhaseEncoder,
        SpikeDrivenAttention,
        SpikformerAttention,
        StochasticAttention,
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


@pytest.mark.parametrize("sizes", [(10, 3, 2, 17, 16), (1, 2, 1, 1, 5), (4, 1, 3, 20, 9)], ids=str)
def test_stochastic_attention_equals_the_golden_model(sizes):
    qkv = operands(*sizes, [SPIKES] * 3)
    expected = golden_attention(qkv, [SPIKES] * 3, form="ssa", seed=7)
    assert np.array_equal(computed(StochasticAttention(seed=7), qkv), expected)
    if sizes[3] > 1:
        other = computed(StochasticAttention(seed=8), qkv)
        assert expected.any()
        assert not np.array_equal(other, expected)


def test_stochastic_attention_draws_its_probability():
    """In training: the mean of many draws, and the gradient of the probability."""
    q, k, v = (torch.from_numpy(x).double() for x in operands(1, 1, 1, 4, 6, [SPIKES] * 3))
    wanted = q @ (k.transpose(-1, -2) @ v) / 24
    module = StochasticAttention().train()
    torch.manual_seed(3)
    draws = module(*(x.expand(1, 4000, 1, 4, 6) for x in (q, k, v)))
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    assert wanted.max() > 0.1
    assert (draws.mean(1) - wanted[0]).abs().max() < 0.04  # five standard deviations
    q.requires_grad_()
    module(q, k, v).sum().backward()
    (gradient,) = torch.autograd.grad((q @ (k.transpose(-1, -2) @ v) / 24).sum(), q)
    assert torch.allclose(q.grad, gradient)


SCALES = {"base": 1.15, "q": 3.0, "k": 3.0, "v": 2.5, "score": 2.0, "output": 1.5}


def phase_codes(sizes, steps=40):
    """Values [B, H, N, D] of q, k and v, and their codes."""
    rng = np.random.default_rng(4)
    values = [torch.from_numpy(rng.normal(size=sizes)) for _ in range(3)]
    encoders = [PhaseEncoder(steps=steps, base=1.15, scale=SCALES[name]) for name in "qkv"]
    return values, [encoder(x) for encoder, x in zip(encoders, values, strict=True)]


@pytest.mark.parametrize("sizes", [(2, 2, 12, 8), (1, 1, 1, 4)], ids=str)
def test_phase_coded_attention_equals_the_golden_model(sizes):
    values, codes = phase_codes(sizes)
    trains = [x.numpy().astype(np.int8) for x in codes]
    core = head_core(SCALES, 40, sizes[2], sizes[3], sizes[3])
    assert np.array_equal(from_spike_train(trains[0]), encode_values(core, values[0] / 3.0))
    expected = golden_attention(trains, [TERNARY] * 3, form="spiked", scales=SCALES)
    module = PhaseCodedAttention(steps=40, scales=SCALES)
    assert np.array_equal(computed(module, trains), expected)
    assert (expected != 0).any()


def test_phase_coded_attention_is_near_softmax():
    """In both modes; and gradients pass the codes as if they were not there."""
    values, codes = phase_codes((2, 2, 12, 8))
    for x in values:
        x.requires_grad_()
    wanted = torch.nn.functional.scaled_dot_product_attention(*values)
    module = PhaseCodedAttention(steps=40, scales=SCALES)
    for mode in (True, False):
        out = module.encoder.decode(module.train(mode)(*codes))
        assert np.corrcoef(out.flatten(), wanted.detach().flatten())[0, 1] > 0.98
    encoders = [PhaseEncoder(steps=40, base=1.15, scale=SCALES[name]) for name in "qkv"]
    codes = [encoder(x) for encoder, x in zip(encoders, values, strict=True)]
    module.encoder.decode(module.train()(*codes)).square().sum().backward()
    found = [x.grad.clone() for x in values]
    for x in values:
        x.grad = None
    wanted.square().sum().backward()
    for x, gradient in zip(values, found, strict=True):
        assert np.corrcoef(x.grad.flatten(), gradient.flatten())[0, 1] > 0.98
