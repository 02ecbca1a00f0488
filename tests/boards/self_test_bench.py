"""cocotb test of a self-test: reset, wait for a light, expect the pass light."""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, First, RisingEdge


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def passes(dut):
    """One run after reset."""
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await First(RisingEdge(dut.passed), RisingEdge(dut.failed))
    await ClockCycles(dut.clk, 2)
    assert (int(dut.passed.value), int(dut.failed.value)) == (1, 0)
