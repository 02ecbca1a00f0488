"""The `a2os2a` core with its neurons: pre-activations in, spikes out."""

import random

import numpy as np
import pytest
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from spikeloom.cores.a2os2a_block import A2OS2ABlock
from spikeloom.errors import InputError

from .a2os2a_runner import pack


def simulate(config, operands, *, runs, stalls, seed=0):
    """Output spikes (runs * T, N, Dv) and the flags after all runs."""
    dut = config.create()
    outputs = []
    wanted = runs * config.steps * config.tokens * config.groups
    flags = {}

    def producer(name, tensor):
        port, pause = getattr(dut, name), random.Random(f"{seed}{name}")

        async def bench(ctx):
            for _ in range(runs):
                for step in tensor:
                    rows = step.reshape(-1, config.lanes)
                    for n, row in enumerate(rows):
                        while pause.random() < stalls:
                            await ctx.tick()
                        ctx.set(port.payload.data, pack(row, config.input_bits))
                        ctx.set(port.payload.last, n == len(rows) - 1)
                        ctx.set(port.valid, 1)
                        await ctx.tick().until(port.ready)
                        ctx.set(port.valid, 0)

        return bench

    async def consumer(ctx):
        pause = random.Random(seed)
        per_step = config.tokens * config.groups
        while len(outputs) < wanted:
            ctx.set(dut.o.ready, pause.random() >= stalls)
            _, _, valid, ready, spikes, last = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload.data, dut.o.payload.last
            )
            if valid and ready:
                outputs.append(spikes)
                assert last == (len(outputs) % per_step == 0)

    async def control(ctx):
        for _ in range(runs):
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            for _ in range(200_000):
                _, _, done, misframed = await ctx.tick().sample(dut.done, dut.misframed)
                if done:
                    break
            assert done
            assert not misframed
            flags.update({name: ctx.get(getattr(dut, name)) for name in config.flags})
            assert not ctx.get(dut.busy)

    simulator = Simulator(Fragment.get(dut, None))
    simulator.add_clock(1e-6)
    for name, tensor in zip("qkv", operands, strict=True):
        simulator.add_testbench(producer(name, tensor), background=True)
    simulator.add_testbench(consumer)
    simulator.add_testbench(control)
    simulator.run()
    bits = [word >> lane & 1 for word in outputs for lane in range(config.lanes)]
    shape = (runs * config.steps, config.tokens, config.value_dim)
    return np.array(bits).reshape(shape), flags


@pytest.mark.parametrize("stalls", [pytest.param(0.0, marks=pytest.mark.long), 0.4])
@pytest.mark.parametrize(
    "keys",
    [
        {"order": "kv"},
        {"order": "qk"},
        {"order": "kv", "mask": "causal", "lanes": 1},
        {"order": "qk", "mask": "causal", "value_dim": 2, "lanes": 2},
        {"tokens": 1, "head_dim": 1, "value_dim": 1, "o_threshold": 1},
        {"order": "kv", "membrane_bits": 5},
        {
            **{"order": "qk", "membrane_bits": 2, "k_neurons": "binary", "k_bits": 1},
            **{"q_threshold": 10, "k_threshold": 10, "v_threshold": 20, "o_threshold": 5},
        },
        {
            **{"order": "kv", "q_threshold": (20, 60, 90, 40, 70, 50), "v_threshold": [9, 60] * 2},
            **{"k_shift": (0, 1, 2, 3, 4, 5), "o_threshold": (20, 40, 60, 80)},
        },
    ],
    ids=str,
)
def test_block_equals_golden(keys, stalls):
    defaults = {"tokens": 5, "head_dim": 6, "value_dim": 4, "steps": 4, "k_bits": 4}
    config = A2OS2ABlock(
        **{**defaults, "input_bits": 8, "o_threshold": 40}
        | {"q_threshold": 60, "v_threshold": 60, "k_shift": 2}
        | keys
    )
    rng = np.random.default_rng(4)
    widths = (config.head_dim, config.head_dim, config.value_dim)
    operands = [rng.integers(-128, 128, (config.steps, config.tokens, w)) for w in widths]
    results = config.compute(**dict(zip("qkv", operands, strict=True)))
    expected = results.pop("o")
    outputs, flags = simulate(config, operands, runs=2, stalls=stalls)
    assert (outputs == np.concatenate([expected, expected])).all()
    assert flags == {"misframed": 0} | {name: 2 * count for name, count in results.items()}
    if config.tokens > 1:
        assert 0 < expected.mean() < 1
        assert all(results.values())


def leaky(inputs, threshold):
    """The neurons of Spikformer: ``v <- v + (x - v) / 2``, a spike at the threshold, reset to 0."""
    v = np.zeros(inputs.shape[1:])
    spikes = np.zeros(inputs.shape)
    for step, x in enumerate(inputs):
        v = v + (x - v) / 2
        spikes[step] = v >= threshold
        v = np.where(spikes[step], 0, v)
    return spikes


@pytest.mark.parametrize("order", ["kv", "qk"])
@pytest.mark.parametrize("hardware", [False, True], ids=["golden", "hardware"])
def test_binary_k_and_v_are_spikformers_attention(order, hardware):
    """``LIF(0.125 Q K^T V, 0.5)`` in floating point, with a scale of its own for each channel, as
    of a folded batch norm."""
    tokens, dim, steps = 9, 8, 4
    rng = np.random.default_rng(3)
    scales = {name: 2.0 ** -rng.integers(5, 8, dim) for name in "qkv"}
    operands = {name: rng.integers(-60, 256, (steps, tokens, dim)) for name in "qkv"}
    spikes = {name: leaky(operands[name] * scales[name], 1.0) for name in "qkv"}
    product = spikes["q"] @ spikes["k"].transpose(0, 2, 1) @ spikes["v"]
    expected = leaky(0.125 * product, 0.5)
    assert all(0.1 < x.mean() < 0.9 for x in (*spikes.values(), expected))

    # Half of the input reaches the membrane there, all of it here: thresholds are doubled.
    config = A2OS2ABlock(
        **{"tokens": tokens, "head_dim": dim, "steps": steps, "order": order},
        **{"k_bits": 1, "k_neurons": "binary", "v_spikes": "binary", "input_bits": 9},
        **{f"{name}_threshold": [int(2 / x) for x in scales[name]] for name in "qkv"},
        o_threshold=round(2 * 0.5 / 0.125),
    )
    found = config.compute(**operands)["o"]
    if hardware:
        found, _ = simulate(config, list(operands.values()), runs=1, stalls=0)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"length": "open", "mask": "causal"}, "length must be 'fixed', for every token has its"),
        (
            {"tokens": 2**16, "head_dim": 64},
            "neurons of q: spiking_neurons: neurons =",
        ),
        ({"input_bits": 40}, "input_bits must be 2..32"),
        ({"q_threshold": 0}, "q_threshold must be 1.."),
        ({"k_neurons": "binary"}, "k_bits must be 1 with k_neurons = 'binary'"),
        ({"q_threshold": (9, 9)}, "q_threshold must be one number, or 4, one for each channel"),
        ({"k_shift": [1, 2, 3, 32]}, "k_shift must be 0..31"),
        ({"value_dim": 2, "o_threshold": [1] * 4}, "o_threshold must be one number, or 2"),
    ],
)
def test_bad_keys_get_one_clear_line(keys, message):
    with pytest.raises(InputError) as caught:
        A2OS2ABlock(**{"tokens": 4, "head_dim": 4} | keys)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"q": np.full((2, 3, 4), 2048)},
            "q: 2048 at [0, 0, 0]; values must be whole numbers -20",
        ),
        ({"v": np.zeros((2, 3, 4))}, "v: holds float64; a2os2a_block takes integers"),
        ({"k": np.zeros((2, 2, 4), int)}, "k: shape (2, 2, 4) differs from q's"),
    ],
)
def test_bad_pre_activations_get_one_clear_line(change, message):
    operands = {name: np.zeros((2, 3, 4), int) for name in "qkv"} | change
    with pytest.raises(InputError) as caught:
        A2OS2ABlock.prepare({"steps": "2"}, **operands)
    assert message in str(caught.value)
