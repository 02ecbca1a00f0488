"""Networks of one-spike phase codes: neurons, layers that read codes, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import golden
from spikeloom.networks.file import from_bytes, to_bytes
from spikeloom.networks.layers import Classifier, Linear
from spikeloom.networks.neuron import Neuron
from spikeloom.networks.signals import Spikes
from tests.networks.phase_network import PHASE, changed, phase_network


def worth(train, shift):
    """What spike trains (B, T, ...) are worth."""
    base = 2**shift / (2**shift - 1)
    steps = base ** -np.arange(train.shape[1], dtype=float)
    return np.tensordot(train, steps, (1, 0))


def test_fewer_steps():
    """A neuron with steps of its own is silent where it would spike later."""
    neuron = Neuron(kind="phase", threshold=700, shift=3)
    current = np.arange(-900, 901, 7, dtype=np.int32).reshape(1, 1, -1)
    whole = neuron.fire(current, 40)
    for own in (1, 17, 39, 40, 64):
        train = replace(neuron, steps=own).fire(current, 40)
        assert np.array_equal(train[:, :own], whole[:, :own])
        assert not train[:, own:].any()
    entry = replace(neuron, steps=17).to_json()
    assert entry["steps"] == 17
    assert Neuron.from_json(entry, "layer x") == replace(neuron, steps=17)
    assert "steps" not in neuron.to_json()


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(("shift", "steps"), [(1, 9), (2, 16), (3, 40)])
def test_neuron(shift, steps, signed):
    """The step by trying all of them; and the code is within half a step of the current."""
    threshold, base = 700, 2**shift / (2**shift - 1)
    neuron = Neuron(kind="phase", threshold=threshold, shift=shift, signed=signed)
    current = np.arange(-900, 901, 7, dtype=np.int32).reshape(1, 1, -1)
    train = neuron.fire(current, steps)
    for x, spikes in zip(current.flatten(), train[0].T, strict=True):
        reached = [t for t in range(steps) if abs(x) * base**t >= threshold - 1e-6]
        silent = not reached or (x < 0 and not signed)
        wanted = [] if silent else [(reached[0], np.sign(x))]
        assert [(t, spikes[t]) for t in np.flatnonzero(spikes)] == wanted
    scale = threshold / ((1 + 1 / base) / 2)
    kept = (current[0, 0] > 0) | signed
    inside = kept & (abs(current[0, 0]) <= scale) & (train[0] != 0).any(0)
    error = abs(scale * worth(train, shift)[0] - current[0, 0])[inside]
    assert inside.sum() > 50
    assert (error <= abs(current[0, 0])[inside] * (base - 1) / (base + 1) * 1.02 + 1).all()


def test_layers_that_read_codes():
    """Horner's rule on Python's integers; near the sum of what the spikes are worth."""
    rng = np.random.default_rng(1)
    step = rng.integers(0, 44, (5, 6, 10))  # 40 and more: no spike
    sign = rng.choice([-1, 1], step.shape)
    train = ((step[:, None] == np.arange(40)[:, None, None]) * sign[:, None]).astype(np.int8)
    weight = rng.integers(-127, 128, (10, 4)).astype(np.int8)
    bias = np.array([5, -7, 0, 300], np.int32)
    source = Spikes(40, 6, 10, low=-1, shift=3)
    fields = {"inputs": ("x",), "weight": weight, "bias": bias}

    def horner(spikes):
        v = 0
        for now in spikes[::-1]:
            v = v - (v + 4 >> 3) + int(now)
        return v

    linear = Linear(name="a", neuron=Neuron(kind="none", threshold=1), **fields)
    found = linear.compute([source], [train])
    sums = np.einsum("btni,io->btno", train.astype(int), weight.astype(int))
    expected = np.apply_along_axis(horner, 1, 32 * sums) + bias
    assert found.shape == (5, 1, 6, 4)
    assert np.array_equal(found[:, 0], expected)
    assert abs(found[:, 0] - bias - worth(train, 3) @ weight * 32).max() < 5
    assert abs(found).max() <= linear.bounds([source]).current.magnitude
    halved = replace(linear, neuron=Neuron(kind="none", threshold=1, shift=2))
    assert np.array_equal(halved.compute([source], [train]), found >> 2)
    signal = halved.output([source])
    assert (signal.constant, signal.low <= found.min() >> 2) == (True, True)

    head = Classifier(name="head", **fields)
    expected = np.apply_along_axis(horner, 1, sums.sum(2)) + bias
    assert np.array_equal(head.compute([source], [train]), expected)


def test_network():
    """Through a file; each neuron spikes at most once; the stream is the sum of currents."""
    graph = phase_network()
    images = np.random.default_rng(5).integers(0, 256, (7, 4, 6, 1), np.uint8)
    found = golden.run(graph, images, keep=True)
    again = golden.run(from_bytes(to_bytes(graph)), images)
    assert np.array_equal(found.logits, again.logits)
    assert len(np.unique(found.logits, axis=0)) == 7
    assert {*found.spikes} == {"x", "q", "k", "v", "a", "h"}
    silent = 0
    for name, train in found.spikes.items():
        assert train.shape == (7, 20, 6, 6)
        once = (train != 0).sum(1)
        assert {*np.unique(once)} <= {0, 1}, name
        silent += (once == 0).sum()
        assert np.array_equal(found.counts[name], once.sum((1, 2)))
        assert train.min() == (0 if name == "h" else -1)
    assert 0 < silent < 6 * 7 * 36
    assert (found.additions["proj"] == 6 * (found.spikes["a"] != 0).sum((1, 2, 3))).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda net: changed(
                net, "a", form="spikformer", scales=None, neuron=Neuron(threshold=2)
            ),
            "layer a: input q is a phase code, which attention of form spikformer does not take",
        ),
        (
            lambda net: changed(net, "u", form="add", inputs=("x", "proj")),
            "layer u: input x is a phase code, which residual of form add does not take",
        ),
        (
            lambda net: changed(net, "q", neuron=Neuron(kind="phase", threshold=200, shift=2)),
            "layer a: input q is a phase code of base 1.3333333333333333 and the scales have base "
            "1.1428571428571428",
        ),
        (
            lambda net: changed(net, "x", neuron=Neuron(threshold=1000)),
            "layer q: its neurons encode a phase, but input x is no phase code; use lif",
        ),
        (
            lambda net: changed(net, "x", neuron=Neuron(kind="phase", threshold=9)),
            "layer x: shift of a neuron is 0; it must be in 1..7",
        ),
        (
            lambda net: changed(net, "x", neuron=Neuron(threshold=9, signed=1, **PHASE)),
            "layer x: signed is 1; give true or false",
        ),
        (
            lambda net: changed(net, "x", neuron=Neuron(threshold=9, steps=65, **PHASE)),
            "layer x: steps of a neuron is 65; it must be in 0..64",
        ),
        (
            lambda net: changed(net, "a", neuron=Neuron(threshold=9, **PHASE)),
            "layer a: neuron kind is phase; attention of form spiked has no neurons",
        ),
    ],
    ids=["attention", "add", "base", "no code", "shift", "signed", "steps", "neurons"],
)
def test_refusals(change, message):
    with pytest.raises(InputError) as error:
        change(phase_network())
    assert message in str(error.value)
