"""Neurons of networks: the units' golden models, ranges by enumeration, known answers."""

from itertools import product

import numpy as np
import pytest

from spikeloom.cores.relu_quantiser.golden import relu_quantise
from spikeloom.cores.spiking_neurons.core import SpikingNeurons
from spikeloom.cores.spiking_neurons.golden import fire
from spikeloom.networks.neuron import Neuron
from spikeloom.networks.ranges import Range

SPIKING = list(product(("lif", "ternary"), ("hard", "soft"), (0, 1)))


@pytest.mark.parametrize(("kind", "reset", "leak"), SPIKING)
def test_equal_to_the_unit(kind, reset, leak):
    """The unit `spiking_neurons`, whose golden model is checked against floating point."""
    neuron = Neuron(threshold=10, leak=leak, reset=reset, kind=kind)
    config = SpikingNeurons.from_settings(
        {
            **{"neurons": 500, "steps": 7, "input_bits": 7, "threshold": 10, "reset": reset},
            **{"output": "ternary" if kind == "ternary" else "binary"},
            **{"leak_numerator": 1, "leak_shift": leak},
        }
    )
    current = np.random.default_rng(leak).integers(-30, 31, (7, 500))
    spikes = neuron.fire(current[None], 7)[0]
    assert np.array_equal(spikes, fire(config, current))
    assert {*np.unique(spikes)} == {*range(neuron.low, 2)}
    once = neuron.fire(current[None, :1], 7)[0]
    assert np.array_equal(once, fire(config, np.repeat(current[:1], 7, axis=0)))


def test_relu_is_the_quantiser():
    """Where the threshold is a power of two, of which a bias of half rounds as the quantiser does;
    and by hand where it is not, with ties."""
    current = np.arange(-40, 300).reshape(1, 1, -1)
    values, clipped = relu_quantise(current, bits=4, shift=4)
    neuron = Neuron(threshold=16, kind="relu", bits=4)
    assert clipped
    assert np.array_equal(neuron.fire(current + 8, 3), np.repeat(values, 3, axis=1))
    odd = Neuron(threshold=5, kind="relu", bits=2)
    assert odd.fire(np.array([[[-1, 4, 5, 9, 10, 15, 99]]]), 1).tolist() == [
        [[0, 0, 1, 1, 2, 3, 3]]
    ]


def test_ternary_by_hand():
    """v = -7 fires downwards; -7 + 4 + 2 after a soft reset is -1, and 2 after a hard one."""
    current = np.array([-7, 2, 2, 3]).reshape(1, 4, 1)
    for reset, expected in (("hard", [-1, 0, 1, 0]), ("soft", [-1, 0, 0, 1])):
        neuron = Neuron(threshold=4, leak=0, reset=reset, kind="ternary")
        assert neuron.fire(current, 4).ravel().tolist() == expected


@pytest.mark.parametrize(("kind", "reset", "leak"), SPIKING)
@pytest.mark.parametrize("current", [(-3, 2), (-9, 1), (-1, 12), (5, 9), (-8, -6)])
def test_ranges_by_enumeration(kind, reset, leak, current):
    """Every membrane that any currents of three steps give is in the range."""
    neuron = Neuron(threshold=4, leak=leak, reset=reset, kind=kind)
    choices = np.array([*product(range(current[0], current[1] + 1), repeat=3)]).T
    v, seen = np.zeros(choices.shape[1], int), []
    for n, x in enumerate(choices):
        v = (v >> leak if n else v) + x
        seen += [v.min(), v.max()]
        up, down = v >= 4, (v <= -4) & (kind == "ternary")
        v = np.where(up | down, 0 if reset == "hard" else v - 4 * up + 4 * down, v)
    membrane = neuron.membrane(Range(*current), 3)
    assert membrane.low <= min(seen)
    assert max(seen) <= membrane.high
    if reset == "soft" or kind == "lif":
        assert membrane.high <= max(seen) + 2 * 4
