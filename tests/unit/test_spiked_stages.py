"""Every stage of `spiked` against its golden twin."""

import random
from dataclasses import replace
from itertools import zip_longest

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out
from amaranth.sim import Simulator

from spikeloom.cores.spiked import Spiked
from spikeloom.cores.spiked import golden as spiked
from spikeloom.cores.spiked.code import code_bits, signed_code
from spikeloom.cores.spiked.event_memory import EventMemory
from spikeloom.cores.spiked.lane_memory import LaneMemory
from spikeloom.cores.spiked.logarithm import Logarithm
from spikeloom.cores.spiked.output_encoder import OutputEncoder
from spikeloom.cores.spiked.phase_encoder import PhaseEncoder
from spikeloom.cores.spiked.schedule import (
    BEGIN,
    NEXT_TENSOR,
    last_blocks,
    line_events,
    product_cycles,
)
from spikeloom.cores.spiked.spike_train import CodesToSpikes, SpikesToCodes
from spikeloom.cores.spiked.tables import threshold_log, thresholds
from spikeloom.cores.spiked.trace_product import TraceProduct, product_delay
from spikeloom.cores.spiked.woss import Woss, woss_delay

from .spiked_bench import from_wire, join, pipeline, random_codes, split, to_wire

CODES = [
    Spiked(tokens=1, head_dim=8),
    Spiked(tokens=1, head_dim=3, base=1.4, steps=16, frac_bits=12),
    Spiked(tokens=1, head_dim=1, base=2.0, steps=1, frac_bits=8),
    Spiked(tokens=1, head_dim=5, base=1.02, steps=64, frac_bits=16),
    Spiked(tokens=1, head_dim=16, base=2**0.5, steps=33, score_scale=1e-3),
    Spiked(tokens=1, head_dim=2, base=1.001, steps=64, frac_bits=12),
    Spiked(tokens=1, head_dim=2, base=2.0, steps=64, score_scale=1e5),
]


@pytest.mark.parametrize("config", CODES, ids=lambda c: f"B={c.base:.3g} T={c.steps}")
@pytest.mark.parametrize("bipolar", [True, False])
def test_phase_encoder_at_every_threshold(config, bipolar):
    """Each threshold, one below and one above, the extremes, zero, and numbers in between."""
    most = config.head_dim << config.frac_bits
    levels = np.array(thresholds(config, config.score_gain))
    rng = np.random.default_rng(0)
    near = np.concatenate([levels - 1, levels, levels + 1, [0, 1, most]])
    spread = 2.0 ** rng.uniform(0, np.log2(most), 200)
    sums = np.concatenate([near, spread.astype(int)]).clip(0, most)
    sums = np.concatenate([sums, -sums])

    encoder = PhaseEncoder(config, range(-most, most + 1), gain=config.score_gain, bipolar=bipolar)
    found = from_wire(config, pipeline(encoder, sums, PhaseEncoder.delay))
    expected = spiked.encode_sums(config, sums, config.score_gain)
    assert (found == (expected if bipolar else expected.clip(0))).all()
    assert (expected != 0).any()


@pytest.mark.parametrize(("width", "bits", "base"), [(1, 2, 1.15), (7, 3, 2.0), (9, 9, 1.02)])
def test_logarithm_of_every_number(width, bits, base):
    config = Spiked(tokens=1, head_dim=1, base=base)
    numbers = np.arange(1, 1 << width)
    found = pipeline(Logarithm(config, width, bits), numbers, Logarithm.delay)
    assert found == spiked.logarithm(config, numbers, bits).tolist()
    exact = np.log(numbers) / np.log(base)
    assert abs(np.array(found) / 2**12 - exact).max() <= 2.0**-bits / np.log(base)


def run_blocks(component, rows, encoders, bits, pauses=0.0, wait=0):
    """Feed rows of wire codes or sums in blocks; the blocks that come out, and when, from the last
    block on."""
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    found = []
    now = [0]

    async def feed(ctx):
        pause = random.Random(1)
        for row in rows:
            for n in range(0, len(row), encoders):
                while pause.random() < pauses:
                    await ctx.tick()
                block = [int(x) & (1 << bits) - 1 for x in row[n : n + encoders]]
                ctx.set(component.i.as_value(), join(block, bits))
                ctx.set(component.i_valid, 1)
                await ctx.tick()
                ctx.set(component.i_valid, 0)
        now[0] = len(found)
        for _ in range(wait):
            await ctx.tick()

    async def watch(ctx):
        while True:
            found.append((ctx.get(component.o_valid), ctx.get(component.o.as_value())))
            await ctx.tick()

    simulator.add_testbench(feed)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    return [o for valid, o in found if valid], [n for n, (valid, _) in enumerate(found) if valid]


WOSS_ROWS = [
    [1, 5, -3, 0, 9],
    [-1, -4, 0, -8, -8],  # first spikes negative, nothing positive
    [0, 0, 0, 0, 0],
    [7, 7, 7, 7, 7],
    [-2, 3, 3, 0, -1],
]


@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize(("lanes", "encoders"), [(1, 1), (4, 2), (3, 3), (5, 5)])
@pytest.mark.parametrize("pauses", [0.0, 0.5])
def test_woss(mask, lanes, encoders, pauses):
    config = Spiked(
        tokens=5, head_dim=4, base=1.4, steps=16, mask=mask, lanes=lanes, encoders=encoders
    )
    rng = np.random.default_rng(2)
    rows = np.vstack([WOSS_ROWS, random_codes(rng, config, (15, 5), 0.8)])
    wire = to_wire(config, rows)
    bits = code_bits(config.steps)
    # what fills up the last block must not matter
    padded = [[*row, *[1 << bits - 2] * (-5 % encoders)] for row in wire]
    blocks, clocks = run_blocks(Woss(config), padded, encoders, bits, pauses, wait=20)

    count = -(-5 // encoders)
    words = [code for block in blocks for code in split(block, bits - 1, encoders)]
    found = from_wire(config, words).reshape(20, -1)[:, :5]
    everyone = np.ones((5, 5), bool)
    admitted = np.tile(np.tril(everyone) if mask == "causal" else everyone, (4, 1))
    expected = spiked.woss(config, rows, admitted)
    assert (found == expected).all()
    if not pauses:
        assert clocks == list(
            range(count - 1 + woss_delay(config), (20 + 1) * count - 1 + woss_delay(config))
        )


@pytest.mark.parametrize("encoders", [1, 3])
def test_output_encoder(encoders):
    config = Spiked(tokens=6, head_dim=4, lanes=3, encoders=encoders, output_scale=0.5)
    rng = np.random.default_rng(3)
    one = 1 << config.frac_bits
    normaliser = rng.integers(1, 6 * one, 6)
    normaliser[2] = 0  # a query that attends to nothing
    sums = (normaliser * rng.uniform(-1, 1, (4, 6)) * 2.0 ** -rng.integers(0, 14, (4, 6))).astype(
        int
    )
    sums[1] = 0
    encoder = OutputEncoder(config, config.tokens)
    blocks, clocks = run_blocks(
        encoder, [normaliser, *sums], encoders, len(encoder.i.as_value()) // encoders, wait=10
    )
    words = [code for b in blocks for code in split(b, code_bits(config.steps), encoders)]
    expected = spiked.encode_quotients(
        config, sums, normaliser, threshold_log(config, config.output_gain)
    )
    assert (from_wire(config, words).reshape(4, 6) == expected).all()
    assert (expected != 0).any()
    assert clocks[0] == 6 // encoders + OutputEncoder.delay


@pytest.mark.parametrize(("lines", "length"), [(1, 1), (2, 1), (1, 4), (3, 2), (5, 4)])
@pytest.mark.parametrize(("rewinds", "repeats"), [(0, 0), (2, 0), (0, 2)])
@pytest.mark.parametrize("pauses", [0.0, 0.4])
@pytest.mark.parametrize("ways", [1, 2])
def test_event_memory(lines, length, rewinds, repeats, pauses, ways):
    """The spikes of every line in order, lines read several times by `rewind` or all lines by
    `again`; events follow each other without gaps, tensors after `NEXT_TENSOR` cycles."""
    config = Spiked(tokens=1, head_dim=length, steps=12)
    rng = np.random.default_rng(lines + length)
    transposed = length > 1
    tensors = [random_codes(rng, config, (lines, length), share) for share in (0.5, 1.0, 0.0, 0.5)]
    dut = EventMemory(lines, length, steps=config.steps, transposed=transposed, ways=ways)
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    o = dut.o
    expected, found, ends = [], [], []
    for tensor in tensors:
        ends.append(len(expected))
        for again in reversed(range(1 + repeats)):
            for line in to_wire(config, tensor):
                spikes = [(n, int(code)) for n, code in enumerate(line) if code]
                parts = [[(n // ways, c) for n, c in spikes if n % ways == w] for w in range(ways)]
                events = [*zip_longest(*parts)] or [None]
                for rewind in reversed(range(1 + rewinds)):
                    expected += [(event, rewind, again) for event in events]

    async def feed(ctx):
        ctx.set(dut.i.valid, 1)
        for tensor in tensors:
            for code in to_wire(config, tensor.T if transposed else tensor).ravel():
                ctx.set(dut.i.payload.as_value(), int(code))
                await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)

    async def read(ctx):
        pause = random.Random(1)
        gap, gaps = 0, []
        await ctx.tick().repeat(2 * lines * length + 8)
        for _, rewind, again in expected:
            gap = 0
            while not ctx.get(o.valid) or pause.random() < pauses:
                gap += 1
                await ctx.tick()
            gaps.append(gap)
            event = tuple(
                (ctx.get(spike.index), ctx.get(spike.code.as_value()))
                if ctx.get(spike.code.spike)
                else None
                for spike in o.event.spikes
            )
            silent = ctx.get(o.event.silent)
            found.append((None if silent else event, rewind, again))
            ctx.set(o.rewind, rewind > 0)
            ctx.set(o.again, again > 0)
            ctx.set(o.next, 1)
            await ctx.tick()
            ctx.set(o.next, 0)
        if not pauses:  # the first two tensors were loaded before
            assert sorted(gaps[: ends[2]])[-1] == NEXT_TENSOR - 1
            assert sum(gaps[: ends[2]]) == NEXT_TENSOR - 1

    simulator.add_testbench(feed, background=True)
    simulator.add_testbench(read)
    simulator.run()
    assert found == expected


class ProductBench(wiring.Component):
    """A trace product with its two operand memories, always room behind it."""

    def __init__(self, config, lines, length, *, transposed):
        shape = signed_code(config.steps)
        self.events = EventMemory(
            lines, length, steps=config.steps, transposed=transposed, ways=config.events
        )
        self.lanes = LaneMemory(
            config.tokens,
            length,
            lanes=config.lanes,
            block=1,
            shape=shape,
            ways=config.events,
            delay=2,
        )
        self.product = TraceProduct(config, lines, length, shape=shape)
        super().__init__({"full": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.events = events = self.events
        m.submodules.lanes = lanes = self.lanes
        m.submodules.product = product = self.product
        wiring.connect(m, product.events, events.o)
        wiring.connect(m, product.lanes, lanes.o)
        m.d.comb += [
            product.room.free.eq(1),
            lanes.room.reserve.eq(lanes.i_valid & lanes.i_first),
            self.full.eq(lanes.o.full & events.o.valid),
        ]
        return m


@pytest.mark.parametrize("density", [1.0, 0.3, 0.1, 0.0])
@pytest.mark.parametrize(
    ("tokens", "length", "lines", "lanes", "encoders", "events", "transposed"),
    [
        (4, 3, 4, 4, 1, 1, False),
        (7, 5, 3, 3, 1, 1, True),
        (7, 5, 3, 4, 2, 1, False),
        (6, 1, 2, 6, 6, 1, True),
        (1, 4, 1, 1, 1, 1, False),
        (4, 2, 4, 4, 2, 2, False),
        (7, 5, 3, 4, 2, 2, True),
        (3, 8, 3, 1, 1, 2, False),
        (7, 4, 3, 7, 3, 2, True),
    ],
)
def test_trace_product(tokens, length, lines, lanes, encoders, events, transposed, density):
    """Sums, their order, and the clocks the formula gives; the largest sum does not wrap."""
    config = Spiked(
        tokens=tokens,
        head_dim=length,
        steps=12,
        base=1.3,
        lanes=lanes,
        encoders=encoders,
        events=events,
    )
    rng = np.random.default_rng(4)
    spikes = random_codes(rng, config, (lines, length), density)
    stationary = random_codes(rng, config, (tokens, length), density or 1.0)
    if density == 1.0:
        spikes[0], stationary[0] = 1, -1
    sums, clocks = run_product(config, spikes, stationary, transposed)
    assert (sums == spiked.trace_product(config, spikes, stationary)).all()
    counts = [line_events(line, events) for line in (spikes != 0).tolist()]
    first_sums = BEGIN + product_cycles(config, counts) - 1 + product_delay(config)
    assert clocks == first_sums + last_blocks(config, counts)


@pytest.mark.parametrize("lanes", [1, 8, pytest.param(49, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "density", [0.05, *(pytest.param(d, marks=pytest.mark.long) for d in (0.02, 0.01, 0.0))]
)
def test_trace_product_of_few_spikes_costs_little(lanes, density):
    """N = 49, D = 32: within a tenth of the spikes of both operands times groups of lanes; a part,
    as many lines as lanes, costs a cycle."""
    config = Spiked(tokens=49, head_dim=32, lanes=lanes, encoders=lanes)
    rng = np.random.default_rng(8)
    events, stationary = (random_codes(rng, config, (49, 32), density) for _ in "qk")
    sums, clocks = run_product(config, events, stationary)
    assert (sums == spiked.trace_product(config, events, stationary)).all()
    work = np.count_nonzero(events) + np.count_nonzero(stationary)
    assert clocks <= 1.10 * work * config.groups + config.steps + config.groups + 20


def run_product(config, events, stationary, transposed=False):
    """Sums (lines, tokens) of codes `events` (lines, length) and `stationary` (tokens, length), and
    the clocks from the first event to the last sum."""
    lines, length = events.shape
    bench = ProductBench(config, lines, length, transposed=transposed)
    simulator = Simulator(bench)
    simulator.add_clock(1e-6)
    found, clocks = [], [0]

    async def feed_events(ctx):
        ctx.set(bench.events.i.valid, 1)
        for code in to_wire(config, events.T if transposed else events).ravel():
            ctx.set(bench.events.i.payload.as_value(), int(code))
            await ctx.tick().until(bench.events.i.ready)
        ctx.set(bench.events.i.valid, 0)

    async def feed_lanes(ctx):
        ctx.set(bench.lanes.i_valid, 1)
        for code in to_wire(config, stationary).ravel():
            ctx.set(bench.lanes.i.as_value(), int(code))
            await ctx.tick()
        ctx.set(bench.lanes.i_valid, 0)

    async def run(ctx):
        await ctx.tick().repeat(length * max(lines, config.tokens) + 4)
        ctx.set(bench.product.run, 1)
        while len(found) < lines * config.blocks:
            assert not (ctx.get(bench.product.o_valid) and ctx.get(bench.product.o_silent))
            if ctx.get(bench.product.o_valid):
                found.append([ctx.get(bench.product.o[n]) for n in range(config.encoders)])
            if ctx.get(bench.product.o_silent):
                found.extend([[0] * config.encoders] * config.blocks)
            await ctx.tick()
            clocks[0] += 1
            assert clocks[0] < 10_000

    simulator.add_testbench(feed_events, background=True)
    simulator.add_testbench(feed_lanes, background=True)
    simulator.add_testbench(run)
    simulator.run()

    return np.array(found).reshape(lines, -1)[:, : config.tokens], clocks[0]


@pytest.mark.parametrize("pauses", [0.0, 0.4])
def test_spike_trains_there_and_back(pauses):
    config = Spiked(tokens=1, head_dim=3, steps=5)
    rng = np.random.default_rng(5)
    codes = random_codes(rng, config, (20, 3), 0.7)
    bits = code_bits(5)
    play, listen = CodesToSpikes(3, 5), SpikesToCodes(3, 5)
    m = Module()
    m.submodules.play, m.submodules.listen = play, listen
    wiring.connect(m, play.o, listen.i)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    found, train = [], []

    async def feed(ctx):
        pause = random.Random(6)
        for row in to_wire(config, codes):
            while pause.random() < pauses:
                await ctx.tick()
            ctx.set(play.i.payload.as_value(), join(row, bits))
            ctx.set(play.i.valid, 1)
            await ctx.tick().until(play.i.ready)
            ctx.set(play.i.valid, 0)

    async def watch(ctx):
        async for _, _, valid, ready, spike, sign in ctx.tick().sample(
            play.o.valid, play.o.ready, play.o.payload.spike, play.o.payload.sign
        ):
            if valid and ready:
                train.append([(spike >> n & 1) * (1 - 2 * (sign >> n & 1)) for n in range(3)])

    async def take(ctx):
        pause = random.Random(7)
        for _ in codes:
            while pause.random() < pauses:
                await ctx.tick()
            ctx.set(listen.o.ready, 1)
            (word,) = await ctx.tick().sample(listen.o.payload.as_value()).until(listen.o.valid)
            ctx.set(listen.o.ready, 0)
            found.append(split(word, bits, 3))

    simulator.add_testbench(feed, background=True)
    simulator.add_testbench(watch, background=True)
    simulator.add_testbench(take)
    simulator.run()
    assert (from_wire(config, found) == codes).all()
    expected = spiked.to_spike_train(config, codes).transpose(1, 0, 2).reshape(-1, 3)
    assert (np.array(train) == expected[: len(train)]).all()
    assert len(train) >= 99


def test_spikes_to_codes_takes_the_first_of_several_spikes():
    config = replace(CODES[1], head_dim=2, steps=4)
    listen = SpikesToCodes(2, 4)
    simulator = Simulator(listen)
    simulator.add_clock(1e-6)

    async def run(ctx):
        ctx.set(listen.i.valid, 1)
        for spike, sign in ((0, 0), (1, 1), (3, 0), (3, 3)):
            ctx.set(listen.i.payload.spike, spike)
            ctx.set(listen.i.payload.sign, sign)
            await ctx.tick()
        assert ctx.get(listen.o.valid)
        word = ctx.get(listen.o.payload.as_value())
        assert from_wire(config, split(word, code_bits(4), 2)).tolist() == [-2, 3]

    simulator.add_testbench(run)
    simulator.run()
