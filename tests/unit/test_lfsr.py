"""LFSRs: maximal length proved, sequence worked by hand, hardware equal to the golden twin."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikeloom.random.golden_lfsr import lfsr_sequence
from spikeloom.random.lfsr import LFSR
from spikeloom.random.taps import TAPS


def test_table_covers_every_width():
    assert sorted(TAPS) == list(range(3, 65))


@pytest.mark.parametrize("width", range(3, 21))
def test_full_period_by_running(width):
    """The state returns after 2**width - 1 bits and not before."""
    period = 2**width - 1
    bits = lfsr_sequence(width, [1], period + width)[0]
    weights = 1 << np.arange(width)
    states = np.lib.stride_tricks.sliding_window_view(bits, width) @ weights
    assert states[0] == states[period]
    assert len(np.unique(states[:period])) == period
    assert 0 not in states


@pytest.mark.parametrize("width", TAPS)
def test_primitive_by_arithmetic(width):
    """x has order 2**width - 1 modulo the polynomial: its powers by every cofactor are not 1."""
    modulus = 1 << width | sum(1 << tap for tap in TAPS[width])
    order = 2**width - 1
    assert _power_of_x(order, modulus, width) == 1
    for prime in _prime_factors(order):
        assert _power_of_x(order // prime, modulus, width) != 1


def test_sequence_worked_by_hand():
    """Width 3, s[n + 3] = s[n + 1] XOR s[n], from s = 1, 0, 0."""
    assert lfsr_sequence(3, [0b001], 14)[0].tolist() == [1, 0, 0, 1, 0, 1, 1] * 2


@pytest.mark.parametrize("width", [3, 8, 31, 33, 55, 64])
def test_golden_follows_the_recurrence(width):
    bits = lfsr_sequence(width, [5], 3000)[0].tolist()
    for n in range(3000 - width):
        assert bits[n + width] == sum(bits[n + tap] for tap in TAPS[width]) % 2


@pytest.mark.parametrize(("width", "leap"), [(3, 1), (5, 5), (17, 4), (32, 23), (64, 59), (64, 64)])
def test_hardware_equals_golden(width, leap):
    seed = 0x123456789ABCDEF1 & (2**width - 1) | 1
    steps = 50
    bits = lfsr_sequence(width, [seed], leap * steps + width)[0]
    expected = [_window(bits, n * leap, width) for n in range(steps)]
    assert _run(LFSR(width, leap), seed, steps) == expected


@pytest.mark.parametrize("seed", [0, 1, 2, 0xFFFF])
def test_no_seed_leads_to_zero(seed):
    """Bit 0 of a seed counts as 1, and the register never reaches 0."""
    states = _run(LFSR(16, 7), seed, 300)
    assert states[0] == seed | 1
    assert 0 not in states


def test_state_stays_without_step():
    dut = LFSR(8)
    seen = []

    async def bench(ctx):
        ctx.set(dut.seed, 0x35)
        ctx.set(dut.load, 1)
        ctx.set(dut.step, 1)
        await ctx.tick()
        ctx.set(dut.load, 0)
        ctx.set(dut.step, 0)
        for _ in range(5):
            seen.append(ctx.get(dut.o))
            await ctx.tick()

    _simulate(dut, bench)
    assert seen == [0x35] * 5


@pytest.mark.parametrize(("width", "leap"), [(2, 1), (65, 1), (8, 0), (8, 9)])
def test_arguments_out_of_range(width, leap):
    with pytest.raises(ValueError, match="must be in"):
        LFSR(width, leap)


def _run(dut, seed, steps):
    seen = []

    async def bench(ctx):
        ctx.set(dut.seed, seed)
        ctx.set(dut.load, 1)
        ctx.set(dut.step, 1)
        await ctx.tick()
        ctx.set(dut.load, 0)
        ctx.set(dut.step, 0)
        ctx.set(dut.step, 1)
        for _ in range(steps):
            seen.append(ctx.get(dut.o))
            await ctx.tick()

    _simulate(dut, bench)
    return seen


def _simulate(dut, bench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def _window(bits, start, width):
    return int(sum(int(bit) << n for n, bit in enumerate(bits[start : start + width])))


def _power_of_x(exponent, modulus, width):
    """x**exponent modulo a polynomial over GF(2); polynomials are ints, bit n for x**n."""
    result, base = 1, 2
    while exponent:
        if exponent & 1:
            result = _multiply(result, base, modulus, width)
        base = _multiply(base, base, modulus, width)
        exponent >>= 1
    return result


def _multiply(a, b, modulus, width):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a >> width & 1:
            a ^= modulus
        b >>= 1
    return product


def _prime_factors(n):
    """Distinct prime factors: known Mersenne primes first, then trial division to the end."""
    factors = set()
    for exponent in (61, 31, 19, 17, 13):
        while n % (2**exponent - 1) == 0:
            factors.add(2**exponent - 1)
            n //= 2**exponent - 1
    candidate = 2
    while candidate * candidate <= n:
        while n % candidate == 0:
            factors.add(candidate)
            n //= candidate
        candidate += 1 if candidate == 2 else 2
    return factors | ({n} if n > 1 else set())


def test_prime_factors():
    assert _prime_factors(2**12 - 1) == {3, 5, 7, 13}
    assert _prime_factors(2**64 - 1) == {3, 5, 17, 257, 641, 65537, 6700417}
