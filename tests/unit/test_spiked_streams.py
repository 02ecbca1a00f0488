"""Every stage of `spiked` alone, between streams that stall, against its golden twin."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikeloom.blocks.queued_stage import QueuedStage
from spikeloom.cores.spiked import Spiked
from spikeloom.cores.spiked import golden as spiked
from spikeloom.cores.spiked.code import code_bits
from spikeloom.cores.spiked.output_encoder import OutputEncoder
from spikeloom.cores.spiked.phase_encoder import PhaseEncoder
from spikeloom.cores.spiked.product_stage import ProductStage
from spikeloom.cores.spiked.tables import threshold_log
from spikeloom.cores.spiked.woss import Woss, woss_delay

from .spiked_bench import as_value, feeder, from_wire, join, random_codes, split, to_wire

CONFIG = Spiked(tokens=5, head_dim=4, base=1.4, steps=16, lanes=4, encoders=2)
BITS = code_bits(CONFIG.steps)
BLOCKS = 3  # blocks of two in a row of five

# Pause rates of source and sink: none, source only, mostly sink, both.
PAUSES = [(0.0, 0.0), (0.6, 0.0), (0.0, 0.9), (0.5, 0.5)]
stalls = pytest.mark.parametrize("pauses", PAUSES, ids=str)


def through(stage, feeds, count, pauses):
    """Payloads into the streams of `stage` named by `feeds`; the first `count` that come out, and
    the clocks they take."""
    simulator = Simulator(stage)
    simulator.add_clock(1e-6)
    found, clocks = [], [0]

    async def take(ctx):
        pause = random.Random(9)
        while len(found) < count:
            waits = pause.random() < pauses[1]
            ctx.set(stage.o.ready, not waits)
            *_, valid, payload = await ctx.tick().sample(stage.o.valid, as_value(stage.o.payload))
            clocks[0] += 1
            if valid and not waits:
                found.append(payload)
            assert clocks[0] < 100_000

    for seed, (name, payloads) in enumerate(feeds.items()):
        port = getattr(stage, name)
        simulator.add_testbench(feeder(port, payloads, pauses[0], seed), background=True)
    simulator.add_testbench(take)
    simulator.run()
    return found, clocks[0]


def in_blocks(rows, bits):
    """Rows of whole numbers as payloads of two apiece, rows filled up with ones."""
    mask = (1 << bits) - 1
    padded = [[*(int(x) & mask for x in row), *[1] * (len(row) % 2)] for row in rows]
    return [join(row[n : n + 2], bits) for row in padded for n in range(0, len(row), 2)]


def out_of_blocks(payloads, bits, shape):
    """Undo `in_blocks`."""
    words = [word for payload in payloads for word in split(payload, bits, 2)]
    return np.reshape(words, (shape[0], -1))[:, : shape[1]]


@stalls
def test_phase_encoder(pauses):
    most = CONFIG.head_dim << CONFIG.frac_bits
    sums = np.random.default_rng(0).integers(-most, most + 1, 100)
    shape = range(-most, most + 1)
    stage = QueuedStage(PhaseEncoder(CONFIG, shape, gain=CONFIG.score_gain), PhaseEncoder.delay + 1)
    found, clocks = through(stage, {"i": sums & (1 << len(stage.i.payload)) - 1}, 100, pauses)
    expected = spiked.encode_sums(CONFIG, sums, CONFIG.score_gain)
    assert (from_wire(CONFIG, found) == expected).all()
    if pauses == (0.0, 0.0):
        assert clocks <= 100 + PhaseEncoder.delay + 4


@stalls
def test_woss(pauses):
    rows = random_codes(np.random.default_rng(1), CONFIG, (20, 5), 0.8)
    stage = QueuedStage(Woss(CONFIG), CONFIG.blocks + woss_delay(CONFIG))
    codes = in_blocks(to_wire(CONFIG, rows), BITS)
    found, clocks = through(stage, {"i": codes}, 20 * BLOCKS, pauses)
    words = out_of_blocks(found, BITS - 1, (20, 5))
    expected = spiked.woss(CONFIG, rows, np.ones((20, 5), bool))
    assert (from_wire(CONFIG, words) == expected).all()
    if pauses == (0.0, 0.0):
        assert clocks <= 21 * BLOCKS + woss_delay(CONFIG) + 4


@stalls
def test_output_encoder(pauses):
    rng = np.random.default_rng(2)
    normaliser = rng.integers(1 << CONFIG.frac_bits, 5 << CONFIG.frac_bits, 5)
    sums = (normaliser * rng.uniform(-1, 1, (CONFIG.value_dim, 5))).astype(int)
    encoder = OutputEncoder(CONFIG, CONFIG.tokens)
    stage = QueuedStage(encoder, OutputEncoder.delay + 1)
    sum_bits = len(encoder.i.as_value()) // 2
    found, _ = through(
        stage,
        {"i": in_blocks([normaliser, *sums], sum_bits)},
        CONFIG.value_dim * BLOCKS,
        pauses,
    )
    words = out_of_blocks(found, BITS, sums.shape)
    offset = threshold_log(CONFIG, CONFIG.output_gain)
    expected = spiked.encode_quotients(CONFIG, sums, normaliser, offset)
    assert (from_wire(CONFIG, words) == expected).all()


@stalls
@pytest.mark.parametrize("density", [0.7, 0.2, 0.0])
def test_product(pauses, density):
    """Three products in sequence, with as many lines as tokens."""
    rng = np.random.default_rng(3)
    a = random_codes(rng, CONFIG, (3, 6, 4), density)
    b = random_codes(rng, CONFIG, (3, 5, 4), 0.7)
    stage = ProductStage(CONFIG, 6, 4)
    feeds = {f"i_{name}": to_wire(CONFIG, x).ravel() for name, x in (("a", a), ("b", b))}
    spikes = np.count_nonzero(a.reshape(18, 4), axis=1)
    found, _ = through(stage, feeds, sum(np.where(spikes, CONFIG.groups, 1)), pauses)

    lanes = CONFIG.lanes
    bits = len(as_value(stage.o.payload)) // lanes
    beats, sums = iter(found), []
    for count in spikes:
        line = [next(beats) for _ in range(CONFIG.groups if count else 1)]
        assert all(beat >> bits * lanes == (count == 0) for beat in line)
        words = np.array([word for beat in line for word in split(beat, bits, lanes)])
        sums.append((words - (words >> bits - 1 << bits))[:5] if count else [0] * 5)
    expected = [spiked.trace_product(CONFIG, *pair) for pair in zip(a, b, strict=True)]
    assert (np.array(sums) == np.concatenate(expected)).all()
