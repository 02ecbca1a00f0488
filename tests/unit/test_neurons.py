"""Spiking neurons: golden model against floats and a published library, hardware against golden."""

import random
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from spikeloom.cores.relu_quantiser.component import ReLUQuantiserComponent
from spikeloom.cores.relu_quantiser.golden import relu_quantise
from spikeloom.cores.spiking_neurons import SpikingNeurons
from spikeloom.cores.spiking_neurons import golden as neurons
from spikeloom.errors import InputError

VECTORS = Path(__file__).parent / "data" / "snntorch_lif.npz"


def config_of(**keys):
    defaults = {"neurons": 12, "steps": 5, "input_bits": 8, "threshold": 40}
    return SpikingNeurons(**defaults | {"leak_numerator": 1, "leak_shift": 1} | keys)


def pass_beats(dut, beats, *, stalls, seed=0, counts=None):
    """Send (data, last) beats through a component; returns the beats that come out.

    The component's `saturated` is appended to the list `counts`.
    """
    received = []
    pause_in, pause_out = random.Random(seed), random.Random(seed + 1)

    async def producer(ctx):
        for payload, last in beats:
            while pause_in.random() < stalls:
                await ctx.tick()
            ctx.set(dut.i.payload.data, payload)
            ctx.set(dut.i.payload.last, last)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)

    async def consumer(ctx):
        held = None
        for _ in range(100 * len(beats) + 100):
            ctx.set(dut.o.ready, pause_out.random() >= stalls)
            _, _, valid, ready, payload, last = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload.data, dut.o.payload.last
            )
            assert held is None or (valid and (payload, last) == held), "a stalled beat must stay"
            held = (payload, last) if valid and not ready else None
            if valid and ready:
                received.append((payload, last))
            if len(received) == len(beats):
                if counts is not None:
                    await ctx.tick()
                    counts.append(ctx.get(dut.saturated))
                return
        raise AssertionError(f"{len(received)} of {len(beats)} beats came out")

    simulator = Simulator(Fragment.get(dut, None))
    simulator.add_clock(1e-6)
    simulator.add_testbench(producer, background=True)
    simulator.add_testbench(consumer)
    simulator.run()
    return received


def pack(values, bits):
    return sum((int(value) & (1 << bits) - 1) << n * bits for n, value in enumerate(values))


def through_hardware(config, inputs, *, stalls=0.0, counts=None):
    """Spikes of the hardware for inputs (T, n); `counts` as for `pass_beats`."""
    rows = inputs.reshape(-1, config.lanes)
    beats = [
        (pack(row, config.input_bits), n % config.words == config.words - 1)
        for n, row in enumerate(rows)
    ]
    out = pass_beats(config.component(), beats, stalls=stalls, counts=counts)
    assert [last for _, last in out] == [last for _, last in beats]
    bits = config.spike_bits
    codes = [
        payload >> bits * lane & (1 << bits) - 1
        for payload, _ in out
        for lane in range(config.lanes)
    ]
    return np.array([-1 if code == 3 else code for code in codes]).reshape(inputs.shape)


def test_by_hand():
    # Threshold 10, half of the potential leaks away: 6 -> 3 + 7 = 10 fires -> 0 + 9 -> 4 + 6 fires.
    config = config_of(neurons=1, steps=4, threshold=10)
    assert neurons.fire(config, [[6], [7], [9], [6]]).ravel().tolist() == [0, 1, 0, 1]
    # Soft reset keeps what is above: 6 -> 3 + 9 = 12 fires, keeps 2 -> 1 + 9 = 10 fires -> 0 + 9.
    soft = config_of(neurons=1, steps=4, threshold=10, reset="soft")
    assert neurons.fire(soft, [[6], [9], [9], [9]]).ravel().tolist() == [0, 1, 1, 0]
    # Ternary: -6 -> -3 - 7 = -10 fires downwards -> 0 + 10 fires upwards.
    ternary = config_of(neurons=1, steps=3, threshold=10, output="ternary")
    assert neurons.fire(ternary, [[-6], [-7], [10]]).ravel().tolist() == [0, -1, 1]


@pytest.mark.parametrize("reset", ["hard", "soft"])
@pytest.mark.parametrize("leak", ["1/2", "3/4"])
def test_golden_equals_snntorch(reset, leak):
    """Vectors made by data/make_snntorch_lif.py with snnTorch 1.0.0."""
    vectors = np.load(VECTORS)
    numerator, denominator = map(int, leak.split("/"))
    config = SpikingNeurons(
        neurons=vectors["inputs"].shape[1],
        steps=len(vectors["inputs"]),
        input_bits=int(vectors["input_bits"]),
        threshold=int(vectors["threshold"]),
        leak_numerator=numerator,
        leak_shift=denominator.bit_length() - 1,
        reset=reset,
    )
    spikes = neurons.fire(config, vectors["inputs"])
    expected = vectors[f"spikes_{reset}_{numerator}_{denominator}"]
    assert expected.any()
    assert not expected.all()
    assert (spikes == expected).all()


@pytest.mark.parametrize("output", ["binary", "ternary"])
@pytest.mark.parametrize("reset", ["hard", "soft"])
def test_golden_equals_floats_where_nothing_is_rounded(reset, output):
    rng = np.random.default_rng(5)
    inputs = rng.integers(-99, 100, (8, 200)) * 2**8  # eight halvings stay whole
    keys = {"reset": reset, "output": output}
    config = config_of(neurons=200, steps=8, input_bits=16, threshold=60 * 2**8, **keys)
    expected = neurons.float_fire(inputs, threshold=config.threshold, leak=0.5, **keys)
    assert (neurons.fire(config, inputs) == expected).all()


CASES = [
    {},
    {"reset": "soft"},
    {"output": "ternary"},
    {"output": "ternary", "reset": "soft", "lanes": 4},
    {"leak_numerator": 3, "leak_shift": 2, "lanes": 3},
    {"leak_numerator": 1, "leak_shift": 0, "steps": 9},
    {"leak_numerator": 0, "leak_shift": 0},
    {"leak_numerator": 255, "leak_shift": 8, "reset": "soft", "lanes": 6},
    {"neurons": 1},
    {"neurons": 2, "lanes": 1, "steps": 6},
    {"neurons": 8, "lanes": 8, "steps": 3},
    {"threshold": 1000},
    {"threshold": 1},
    {"threshold": (5, 40, 130, 20, 9, 77), "lanes": 2},
    {"threshold": (5, 40, 130), "lanes": 4, "output": "ternary", "reset": "soft"},
    {"threshold": (5, 90), "lanes": 6, "output": "ternary"},
    {"membrane_bits": 5},
    {"membrane_bits": 4, "output": "ternary", "lanes": 3, "threshold": (90, 30, 60)},
    {"membrane_bits": 3, "reset": "soft", "neurons": 8, "lanes": 8},
    {"membrane_bits": 8, "leak_numerator": 1, "leak_shift": 0},
]


@pytest.mark.parametrize("stalls", [0.0, 0.4])
@pytest.mark.parametrize("keys", CASES, ids=str)
def test_hardware_equals_golden(keys, stalls):
    config = config_of(**keys)
    rng = np.random.default_rng(7)
    inputs = rng.integers(-128, 128, (config.steps, config.neurons))
    # Two sequences: the second starts from zero.
    both = np.concatenate([inputs, inputs[::-1]])
    expected = np.concatenate([neurons.fire(config, inputs), neurons.fire(config, inputs[::-1])])
    counts = [] if config.saturates else None
    assert (through_hardware(config, both, stalls=stalls, counts=counts) == expected).all()
    if config.saturates:
        held = [neurons.fire_and_count(config, x)[1] for x in (inputs, inputs[::-1])]
        assert counts == [sum(held)]
        assert min(held) > 0


def test_narrow_membranes_by_hand():
    # Four bits hold -8..7: -20 leaves -10, held at -8; then 18 - 8 = 10 fires, 18 - 10 would not.
    config = config_of(neurons=1, steps=2, threshold=10, membrane_bits=4)
    spikes, held = neurons.fire_and_count(config, [[-20], [18]])
    assert (spikes.ravel().tolist(), held) == ([0, 1], 1)
    # What the last step leaves is not kept, so nothing is held.
    assert neurons.fire_and_count(config, [[0], [-20]])[1] == 0
    # Bits that suffice for all inputs change nothing, and there is no flag.
    needed = config_of(neurons=1, steps=2, threshold=10).membrane_bits
    assert not config_of(neurons=1, steps=2, threshold=10, membrane_bits=needed).saturates
    assert "saturated" not in config_of(membrane_bits=40).flags
    assert config.flags["saturated"].bits == 32


def test_thresholds_of_channels_by_hand():
    config = config_of(neurons=4, steps=1, threshold=[10, 20])
    assert neurons.fire(config, [[10, 19, 9, 20]]).tolist() == [[1, 0, 0, 1]]


@pytest.mark.parametrize("extreme", [-128, 127])
@pytest.mark.parametrize("keys", CASES, ids=str)
def test_extreme_inputs_do_not_wrap(keys, extreme):
    config = config_of(**keys)
    inputs = np.full((config.steps, config.neurons), extreme)
    assert (through_hardware(config, inputs) == neurons.fire(config, inputs)).all()


def test_relu_rounds_halves_up():
    values, cut = relu_quantise([-9, 0, 1, 2, 5, 6, 13, 14], bits=2, shift=2)
    assert (values.tolist(), cut) == ([0, 0, 0, 1, 1, 2, 3, 3], 1)
    values, cut = relu_quantise([3, 3, 3, 3], bits=2, shift=(0, 1))
    assert (values.tolist(), cut) == ([3, 2, 3, 2], 0)


@pytest.mark.parametrize("shifts", [(4,), (0, 3), (1, 5, 12, 2), (11, 11, 13, 0, 4)], ids=str)
@pytest.mark.parametrize(("lanes", "counter_bits"), [(1, 32), (4, 32), (4, 1), (4, 3)])
def test_relu_quantiser(lanes, counter_bits, shifts):
    rng = np.random.default_rng(11)
    inputs = rng.integers(-(2**11), 2**11, 40 * lanes)
    counts = []
    inputs[:4] = -(2**11), 2**11 - 1, 0, -1
    expected, cut = relu_quantise(inputs, bits=5, shift=shifts)
    dut = ReLUQuantiserComponent(
        lanes, input_bits=12, bits=5, counter_bits=counter_bits, shifts=shifts
    )
    beats = [(pack(row, 12), n == 39) for n, row in enumerate(inputs.reshape(-1, lanes))]
    out = pass_beats(dut, beats, stalls=0.3, counts=counts)
    found = [payload >> 5 * lane & 31 for payload, _ in out for lane in range(lanes)]
    assert found == expected.tolist()
    assert out[-1][1] == 1
    assert cut > 0
    assert counts == [min(cut, 2**counter_bits - 1)]


@pytest.mark.parametrize(
    "keys",
    [
        *({"lanes": 5}, {"threshold": 0}, {"leak_numerator": 3}, {"reset": "none"}),
        *({"steps": 1.5}, {"threshold": (3, 0)}, {"threshold": []}, {"threshold": [9] * 5}),
        {"membrane_bits": 1},
    ],
    ids=str,
)
def test_bad_keys(keys):
    with pytest.raises(InputError, match=next(iter(keys))):
        config_of(**keys)
