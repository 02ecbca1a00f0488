"""Random sources: hardware equal to the golden twin, uniform, unrelated across draws and seeds."""

import numpy as np
import pytest
from amaranth.sim import Simulator
from scipy import stats

from spikeloom.cores.ssa import SSA
from spikeloom.cores.ssa import golden as ssa
from spikeloom.random.bernoulli_encoder import BernoulliEncoder
from spikeloom.random.golden_source import RandomSource as GoldenSource
from spikeloom.random.random_plan import (
    EXCESS_BITS,
    START_CYCLES,
    STRATEGIES,
    draw_bits,
    is_power_of_two,
    make_plan,
    scramble,
)
from spikeloom.random.random_source import RandomSource
from spikeloom.random.seed_scrambler import SeedScrambler


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("draws", "limit"), [(1, 2), (5, 64), (12, 64), (3, 65), (4, 48)])
def test_hardware_equals_golden(strategy, draws, limit):
    seed = 0xFEEDC0DE_12345678
    dut = RandomSource(draws, limit, strategy=strategy, stream=3)
    seen = []

    async def bench(ctx):
        ctx.set(dut.seeding.seed, scramble(seed))
        ctx.set(dut.seeding.load, 1)
        ctx.set(dut.step, 1)
        await ctx.tick()
        ctx.set(dut.seeding.load, 0)
        ctx.set(dut.step, 0)
        ctx.set(dut.step, 1)
        await ctx.tick()
        for _ in range(40):
            seen.append([ctx.get(dut.number(n)) for n in range(draws)])
            await ctx.tick()

    _simulate(dut, bench)
    golden = GoldenSource(draws, limit, seed, strategy=strategy, stream=3)
    assert np.array_equal(seen, np.concatenate([golden.draw(15), golden.draw(25)]))


def test_a_limit_of_one_needs_no_bits():
    assert make_plan("slices", 2, draw_bits(1), stream=0).registers == ()
    assert GoldenSource(2, 1, 5).draw(3).tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("limit", [64, 65, 48, 3])
def test_uniform(strategy, limit):
    """Chi-square of 200,000 numbers; with the fixed seed, a false alarm has probability 1e-4."""
    numbers = GoldenSource(8, limit, 99, strategy=strategy).draw(25_000)
    counts = np.bincount(numbers.ravel(), minlength=limit)
    assert len(counts) == limit
    assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("limit", [3, 48, 49, 65, 100, 255])
def test_bias_is_bounded(limit):
    """Over all values of the uniform bits: P(r < count) is off count/limit by under 2**-bits."""
    bits = draw_bits(limit)
    assert bits == (limit - 1).bit_length() + EXCESS_BITS
    numbers = np.arange(2**bits) * limit >> bits
    reached = np.array([(numbers < count).mean() for count in range(limit + 1)])
    assert np.abs(reached - np.arange(limit + 1) / limit).max() < 2.0**-bits
    assert numbers.max() == limit - 1


@pytest.mark.parametrize("limit", [1, 2, 64, 256])
def test_powers_of_two_have_no_bias(limit):
    assert is_power_of_two(limit)
    assert 2 ** draw_bits(limit) == limit


def test_slices_share_no_bit():
    plan = make_plan("slices", 100, 6, stream=0)
    taken = [(register, bit) for register, positions in plan.slots for bit in positions]
    assert len(set(taken)) == len(taken) == 600
    fresh = {bit for _, bit in taken}
    assert min(fresh) >= 64 - 59  # each taken bit leaves the window before the next draw


def test_registers_start_in_different_states():
    """All sources of a core, several seeds: no two registers ever hold the same state."""
    plans = [make_plan("slices", 64, 6, stream) for stream in range(5)]
    for seed in (1, 2, 2**64 - 1):
        states = [register.seeded(seed) for plan in plans for register in plan.registers]
        assert len(set(states)) == len(states)
        assert 0 not in states


def test_neighbouring_seeds_are_unrelated():
    """Draws under seeds 1 to 40: no pair correlates by over 5 sigma, in any of ten stretches."""
    for stretch in range(10):
        sources = [GoldenSource(16, 64, seed) for seed in range(1, 41)]
        draws = [source.draw(64 * (stretch + 1))[-64:].ravel() for source in sources]
        correlations = np.corrcoef(draws)[np.triu_indices(40, 1)]
        assert np.abs(correlations).max() < 5 / np.sqrt(64 * 16)


def test_scrambler_equals_its_twin():
    dut = SeedScrambler()
    seen = []

    async def bench(ctx):
        for seed in (0, 1, 2**64 - 1, 0x0123456789ABCDEF):
            ctx.set(dut.seed, seed)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            ctx.set(dut.keep, 1)
            ctx.set(dut.seed, 5)  # that of another start
            clocks = 1
            while not ctx.get(dut.seeding.load):
                await ctx.tick()
                clocks += 1
            while ctx.get(dut.busy):
                assert ctx.get(dut.seeding.seed) == scramble(seed)
                await ctx.tick()
                clocks += 1
            assert ctx.get(dut.seeding.seed) == scramble(seed)
            seen.append(clocks)
            ctx.set(dut.keep, 0)
            await ctx.tick()

    _simulate(dut, bench)
    assert seen == [START_CYCLES + 1] * 4


def test_scrambling_is_fourteen_rounds():
    def rotated(word, amount):
        return (word << amount | word >> (64 - amount)) & (2**64 - 1)

    for seed in (1, 2**63, 0x0123456789ABCDEF):
        word = seed
        for _ in range(14):
            word ^= rotated(word, 11) ^ rotated(word, 40)
        assert scramble(seed) == word


def test_scrambling_is_invertible():
    """The images of the 64 single bits are linearly independent over GF(2)."""
    rows = [scramble(1 << bit) for bit in range(64)]
    rank = 0
    for bit in range(64):
        pivot = next((row for row in rows if row >> bit & 1), None)
        if pivot is not None:
            rank += 1
            rows.remove(pivot)
            rows = [row ^ pivot if row >> bit & 1 else row for row in rows]
    assert rank == 64


def test_bernoulli_encoder_is_exact():
    """Each threshold against each number of 4 bits: so many of 16 spike, 0 and 16 too."""
    dut = BernoulliEncoder(4)
    counts = []

    async def bench(ctx):
        for threshold in range(17):
            ctx.set(dut.threshold, threshold)
            spikes = 0
            for random in range(16):
                ctx.set(dut.random, random)
                await ctx.delay(1e-9)
                spikes += ctx.get(dut.spike)
            counts.append(spikes)

    _simulate(dut, bench, clock=False)
    assert counts == list(range(17))


def test_zero_and_one_are_encoded_exactly():
    config = SSA(tokens=2, head_dim=2, steps=2000, input_kind="values")
    spikes = ssa.encode(config, "q", np.array([[0.0, 1.0], [0.5, 1 / 256]]))
    assert spikes[:, 0, 0].sum() == 0
    assert spikes[:, 0, 1].sum() == 2000
    assert stats.binomtest(int(spikes[:, 1, 0].sum()), 2000, 0.5).pvalue > 1e-4
    assert stats.binomtest(int(spikes[:, 1, 1].sum()), 2000, 1 / 256).pvalue > 1e-4


def _simulate(dut, bench, clock=True):
    simulator = Simulator(dut)
    if clock:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
