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
    """Output spikes (runs * T, N, Dv) and the number of saturated values in all runs."""
    dut = config.create()
    outputs = []
    wanted = runs * config.steps * config.tokens * config.groups
    cut = 0

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
        nonlocal cut
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
            cut = ctx.get(dut.k_saturated)
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
    return np.array(bits).reshape(shape), cut


@pytest.mark.parametrize("stalls", [0.0, 0.4])
@pytest.mark.parametrize(
    "keys",
    [
        {"order": "kv"},
        {"order": "qk"},
        {"order": "kv", "mask": "causal", "lanes": 1},
        {"order": "qk", "mask": "causal", "value_dim": 2, "lanes": 2},
        {"tokens": 1, "head_dim": 1, "value_dim": 1, "o_threshold": 1},
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
    expected, cut = results["o"], results["k_saturated"]
    outputs, found_cut = simulate(config, operands, runs=2, stalls=stalls)
    assert (outputs == np.concatenate([expected, expected])).all()
    if config.tokens > 1:
        assert 0 < expected.mean() < 1
        assert found_cut == 2 * cut > 0


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
