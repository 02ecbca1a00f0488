"""Run the `spiked` core and parts of it in Amaranth's simulator."""

import random
from dataclasses import dataclass

import numpy as np
from amaranth.sim import Simulator

from spikeloom.item import PhaseCode


def to_wire(config, codes):
    """Codes as bits on a stream."""
    return PhaseCode(config.steps).encode(codes).astype(np.int64)


def from_wire(config, bits):
    """Codes of the bits on a stream, with or without a sign."""
    return PhaseCode(config.steps).decode(np.asarray(bits, np.uint64))


def random_codes(rng, config, shape, density):
    """Random codes; a share `density` spikes, at any step with either sign."""
    codes = rng.integers(1, config.steps + 1, shape) * rng.choice([-1, 1], shape)
    return np.where(rng.random(shape) < density, codes, 0)


def random_head(config, seed, density):
    """Random codes q, k, v."""
    rng = np.random.default_rng(seed)
    shapes = [(config.tokens, dim) for dim in (config.head_dim, config.head_dim, config.value_dim)]
    return [random_codes(rng, config, shape, density) for shape in shapes]


def join(values, bits):
    """Concatenate integers, the first in the lowest `bits` bits."""
    return sum(int(value) << bits * n for n, value in enumerate(values))


def split(word, bits, count):
    """Undo `join`."""
    return [word >> bits * n & (1 << bits) - 1 for n in range(count)]


def pipeline(component, inputs, delay, *, i=None, o=None):
    """Feed one input per clock; the outputs `delay` clocks later."""
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    outputs = []
    i = component.i if i is None else i
    o = component.o if o is None else o

    async def run(ctx):
        for n in range(len(inputs) + delay):
            if n < len(inputs):
                ctx.set(i, int(inputs[n]))
            if n >= delay:
                outputs.append(ctx.get(as_value(o)))
            await ctx.tick()

    simulator.add_testbench(run)
    simulator.run()
    return outputs


@dataclass
class HeadRun:
    """`outputs` (heads, N, Dv) codes, and the cycle of every output beat from start."""

    outputs: np.ndarray
    beat_clocks: list


def feeder(port, payloads, pauses, seed):
    """A testbench that gives a stream `payloads`, whole numbers, and pauses before each with
    probability `pauses`."""
    pause = random.Random(seed)

    async def feed(ctx):
        for payload in payloads:
            while pause.random() < pauses:
                await ctx.tick()
            ctx.set(as_value(port.payload), int(payload))
            ctx.set(port.valid, 1)
            await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)

    return feed


def as_value(payload):
    return payload.as_value() if hasattr(payload, "as_value") else payload


def run_heads(config, heads, *, stalls=0.0, preload=True, limit=200_000):
    """Run a `Spiked` on heads of (q, k, v) codes, each stream pausing with probability `stalls`."""
    core = config.create()
    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    bits = len(core.o.payload.data) // config.value_dim
    beats, clocks = [], []

    def beats_of(n):
        for head in heads:
            rows = to_wire(config, head[n])
            for token, row in enumerate(rows):
                yield join([*row, token == len(rows) - 1], bits)

    async def run(ctx):
        pause = random.Random(3)
        loading = config.tokens * max(config.head_dim, config.value_dim + 1) + 8
        for _ in range(2 * loading if preload else 0):
            await ctx.tick()
        ctx.set(core.start, 1)
        await ctx.tick()
        ctx.set(core.start, 0)
        offered = None
        for clock in range(1, limit):
            ready = pause.random() >= stalls
            ctx.set(core.o.ready, ready)
            beat = None
            if ctx.get(core.o.valid):
                beat = ctx.get(core.o.payload.data), ctx.get(core.o.payload.last)
            assert offered in (None, beat), "a stalled beat changed"
            offered = None if ready else beat
            assert ctx.get(core.busy)
            if ready and beat:
                beats.append(beat)
                clocks.append(clock)
            await ctx.tick()
            ended = len(beats) == len(heads) * config.tokens
            assert ctx.get(core.done) == ended
            if ended:
                break
        assert not ctx.get(core.busy)
        assert not ctx.get(core.misframed)

    for n, port in enumerate((core.q, core.k, core.v)):
        simulator.add_testbench(feeder(port, beats_of(n), stalls, n), background=True)
    simulator.add_testbench(run)
    simulator.run()

    assert [last for _, last in beats] == ([0] * (config.tokens - 1) + [1]) * len(heads)
    codes = [split(data, bits, config.value_dim) for data, _ in beats]
    shape = len(heads), config.tokens, config.value_dim
    return HeadRun(from_wire(config, codes).reshape(shape), clocks)
