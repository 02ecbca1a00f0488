"""UART hardware in the simulator: both directions, baud rate errors, broken bytes."""

import pytest
from amaranth.sim import Simulator

from spikeloom.errors import InputError
from spikeloom.link.uart import UartReceiver, UartTransmitter, uart_divisor

BYTES = [0x00, 0xFF, 0x55, 0xAA, 0x7E, 0x01, 0x80]


@pytest.mark.parametrize(
    ("hz", "baud", "divisor"),
    [(36e6, 1e6, 36), (75e6, 1e6, 75), (12e6, 115200, 104), (36e6, 9600, 3750), (8e6, 2e6, 4)],
)
def test_divisor(hz, baud, divisor):
    assert uart_divisor(int(hz), int(baud)) == divisor


@pytest.mark.parametrize(("hz", "baud"), [(12_000_000, 1_800_000), (12_000_000, 4_000_000)])
def test_divisor_that_is_off(hz, baud):
    with pytest.raises(InputError, match=rf"baud = {baud}: 12 MHz / \d+ is off by"):
        uart_divisor(hz, baud)


def line_of(values, period, gap=1):
    """Levels of a line at every clock: 8N1 bytes at `period` clocks per bit, which may be a
    fraction, with `gap` idle bits before each."""
    bits = [1] * 4
    for value in values:
        bits += [1] * gap + [0] + [value >> n & 1 for n in range(8)] + [1]
    bits += [1] * 3
    return [bits[int(clock / period)] for clock in range(int(len(bits) * period))]


def receive(levels, divisor):
    """(bytes, broken bytes) that a receiver finds in `levels`."""
    dut = UartReceiver(divisor)
    found = []
    broken = 0

    async def bench(ctx):
        nonlocal broken
        for level in levels:
            ctx.set(dut.rx, level)
            await ctx.tick()
            if ctx.get(dut.o.valid):
                found.append(ctx.get(dut.o.payload))
            broken += ctx.get(dut.framing_error)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found, broken


@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize("off", [-0.03, 0, 0.03])
@pytest.mark.parametrize("divisor", [8, 13, 36])
def test_receives_at_bauds_that_are_off(divisor, off, gap):
    assert receive(line_of(BYTES, divisor * (1 + off), gap), divisor) == (BYTES, 0)


def test_a_glitch_is_no_start_bit():
    quiet, glitch = [1] * 20, [0, 0]
    assert receive(quiet + glitch + quiet + line_of([0x42], 8), 8) == ([0x42], 0)


def test_a_byte_without_stop_bit_is_reported_and_the_next_is_good():
    levels = [1] * 8 + [0] * 200 + [1] * 8 + line_of([0x42], 8)
    assert receive(levels, 8) == ([0x42], 1)


@pytest.mark.parametrize("divisor", [4, 7])
def test_transmits_without_gaps(divisor):
    dut = UartTransmitter(divisor)
    levels = []

    async def source(ctx):
        for value in BYTES:
            ctx.set(dut.i.payload, value)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)

    async def line(ctx):
        for _ in range((10 * len(BYTES) + 2) * divisor):
            await ctx.tick()
            levels.append(ctx.get(dut.tx))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source)
    simulator.add_testbench(line)
    simulator.run()
    first = levels.index(0)
    expected = line_of(BYTES, divisor, gap=0)[4 * divisor : -3 * divisor]
    assert levels[first : first + len(expected)] == expected
