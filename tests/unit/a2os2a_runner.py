"""Runs the `a2os2a` core in Amaranth's own simulator: tensors in, tensor and cycles out."""

import random

import numpy as np
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

CODES = {0: 0b00, 1: 0b01, -1: 0b11}


def pack(values, bits):
    """Values, lowest place first, as one number of `bits` bits each."""
    return sum((int(value) & (1 << bits) - 1) << n * bits for n, value in enumerate(values))


def beats(config, operand, tensor):
    """(data, last) of every beat of a (T, N, width) tensor."""
    per_token = config.chunks if operand == "k" else 1
    bits = config.inputs[operand].item.bits
    for step in tensor:
        for n, token in enumerate(step):
            for part, piece in enumerate(np.split(token, per_token)):
                last = n == len(step) - 1 and part == per_token - 1
                yield pack(piece, bits), last


def random_operands(config, seed, *, tokens=None, density=(0.3, 0.5, 0.3)):
    """Operands (T, N, width) int64 with the densities of nonzero values of q, k, v."""
    rng = np.random.default_rng(seed)
    tokens = tokens or config.tokens
    rows = (config.steps, tokens)
    present = [
        rng.random((*rows, width)) < p
        for width, p in zip(
            (config.head_dim, config.head_dim, config.value_dim), density, strict=True
        )
    ]
    q = present[0].astype(np.int64)
    k = rng.integers(1, config.k_max + 1, present[1].shape) * present[1]
    v = rng.choice([config.v_item.low or 1, 1], present[2].shape) * present[2]
    return q, k, v


def simulate(config, operands, *, stalls=0.0, seed=0, runs=1, tokens=None):
    """Feed (T, N, width) operands to the core `runs` times over.

    `stalls` is the chance, per clock, that a stream pauses. Returns the outputs
    (runs * T, N, Dv), the clocks of each run from `start` to the last output beat, and the flags.
    `tokens` is the length of a sequence of outputs, by default that of the operands.
    """
    dut = config.create()
    rng = random.Random(seed)
    tokens = tokens or operands[0].shape[1]
    outputs, clocks, flags = [], [], {}

    def producer(operand, tensor):
        port = getattr(dut, operand)
        pause = random.Random(f"{seed}{operand}")

        async def bench(ctx):
            for _ in range(runs):
                for payload, last in beats(config, operand, tensor):
                    while pause.random() < stalls:
                        await ctx.tick()
                    ctx.set(port.payload.as_value(), payload | last << len(port.payload.data))
                    ctx.set(port.valid, 1)
                    await ctx.tick().until(port.ready)
                    ctx.set(port.valid, 0)

        return bench

    async def consumer(ctx):
        wanted = runs * config.steps * tokens * config.groups
        held = None
        while len(outputs) < wanted:
            ctx.set(dut.o.ready, rng.random() >= stalls)
            _, _, valid, ready, payload, *flag = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload.as_value(), dut.misframed, dut.saturated
            )
            assert held is None or (valid and payload == held), "a stalled payload must stay"
            held = payload if valid and not ready else None
            if valid and ready:
                outputs.append(payload)
            flags.update(zip(("misframed", "saturated"), flag, strict=True))

    async def control(ctx):
        await ctx.tick().repeat(4)
        for _ in range(runs):
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            count, limit = 1, 400 + 200 * tokens * config.head_dim * config.value_dim * config.steps
            done = False
            while not done:
                _, _, done = await ctx.tick().sample(dut.done)
                count += 1
                assert count < limit, "the core never finished"
            clocks.append(count - 2)  # `done` comes a clock later

    simulator = Simulator(Fragment.get(dut, None))
    simulator.add_clock(1e-6)
    for name, tensor in zip("qkv", operands, strict=True):
        simulator.add_testbench(producer(name, tensor), background=True)
    simulator.add_testbench(consumer)
    simulator.add_testbench(control)
    simulator.run()
    return unpack(config, outputs, runs, tokens), clocks, flags


def unpack(config, outputs, runs, tokens):
    """Output beats as an int64 array, their `last` marks checked."""
    width = config.acc_bits
    per_sequence = tokens * config.groups
    rows = []
    for n, payload in enumerate(outputs):
        last = payload >> width * config.lanes
        assert last == (n % per_sequence == per_sequence - 1), f"beat {n}: wrong last mark"
        for lane in range(config.lanes):
            value = payload >> width * lane & (1 << width) - 1
            rows.append(value - (value >> width - 1 << width))
    return np.array(rows, np.int64).reshape(runs * config.steps, tokens, config.value_dim)
