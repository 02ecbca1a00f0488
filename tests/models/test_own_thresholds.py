"""Thresholds of their own for the outputs of a layer, chosen when weights are rounded."""

# pyright: reportMissingImports=false

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import golden
from spikeloom.networks.engine import compile_network
from spikeloom.networks.neuron import Neuron
from spikeloom_models.thresholds import offsets_from, varied


def channels(spread, outputs=40, seed=1):
    """Weights (in, out) in units of the threshold, of outputs that differ by up to `spread`."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (32, outputs)) * np.geomspace(1, spread, outputs)


@pytest.mark.parametrize("bits", [8, 6, 4])
@pytest.mark.parametrize("reset", ["hard", "soft"])
def test_error_falls(bits, reset):
    """Each output uses its weights to the full, within the limit of four times the threshold."""
    weight, largest = channels(1 / 3), 2 ** (bits - 1) - 1
    neuron = Neuron(threshold=int(largest / np.abs(weight).max() / 2) * 2, reset=reset)
    own = varied(neuron, weight, bits)
    assert own is not None
    assert (own % 2 == 0).all()
    assert own.max() <= 4 * neuron.threshold

    def error(thresholds):
        rounded = np.clip(np.rint(weight * thresholds), -largest, largest)
        return np.square(rounded / thresholds - weight).sum()

    assert error(own) < 0.5 * error(neuron.threshold)
    used = np.abs(np.rint(weight * own)).max(0)
    assert used.min() > 0.6 * largest


def test_one_threshold_is_kept():
    """Where the largest weights are alike, one threshold is as good."""
    weight = channels(1.0)
    weight[0] = 0.4
    assert varied(Neuron(threshold=318), weight, 8) is None


def test_zero_weights_and_no_leak():
    weight = channels(1 / 4)
    weight[:, 3] = 0
    own = varied(Neuron(threshold=301, leak=0), weight, 8)
    assert own is not None
    assert own[3] == 288
    assert (own % 32 == 0).all()  # which the engine adds as one row
    fine = varied(Neuron(threshold=31, leak=0), weight, 4)
    assert fine is not None
    assert fine[3] == 31
    assert (fine % 2).any()


@pytest.mark.parametrize("step", [1, 2, 64])
def test_offsets(step):
    thresholds = np.array([5, 9, 30]) * step
    common, offsets = offsets_from(thresholds, step)
    assert (common + offsets).tolist() == thresholds.tolist()
    assert common % step == 0
    assert abs(offsets.max() + offsets.min()) <= step


def spikformer():
    """A Spikformer in floating point whose outputs differ in scale."""
    import torch

    from spikeloom_models.importers.registry import Keys, architectures

    from .spikformer_reference import Spikformer, lively

    torch.manual_seed(4)
    model = Spikformer(dims=16, heads=2, hidden=24, blocks=1, classes=10, steps=2)
    model = lively(model, torch.rand(8, 1, 28, 28))
    found = architectures()["spikformer"]
    values = found.values({"heads": "2", "image": "28", "steps": "2", "mean": "0.3"})
    return found.build(Keys(model.state_dict()), values)


@pytest.mark.torch
@pytest.mark.parametrize("bits", [8, 4])
def test_quantise(bits):
    """Weights are nearer to the true ones; the engine runs the network."""
    pytest.importorskip("torch")
    from spikeloom_models.data import fashion_sample
    from spikeloom_models.quantise import quantise

    network = spikformer()
    one = quantise(network, bits, name="one")
    own = quantise(network, bits, name="own", own_thresholds=True)
    names = [
        layer.name
        for layer in own.graph.layers
        if getattr(layer, "threshold_offsets", None) is not None
    ]
    assert len(names) >= 4
    assert own.graph.layers[0].name not in names
    for name in names:
        assert own.cuts[name].error < 0.95 * one.cuts[name].error
    compile_network(own.graph)
    assert golden.run(own.graph, fashion_sample().images[:2]).logits.any()


@pytest.mark.torch
def test_phase_codes_have_none():
    pytest.importorskip("torch")
    from spikeloom_models.importers.jobs import _integers
    from spikeloom_models.phase_conversion import VisionNetwork

    with pytest.raises(InputError, match="--own-thresholds: a network of phase codes"):
        _integers(object.__new__(VisionNetwork), None, own_thresholds=True)
