"""cocotb tests of a device's pins with cocotbext-uart at the other end."""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, with_timeout
from cocotbext.uart import UartSink, UartSource

from spikeloom_boards.driver.sim_port import DIVISOR
from spikeloom_sim.simulators.cocotb_run import PERIOD_NS

BAUD = 1e9 / PERIOD_NS / DIVISOR


@cocotb.test()
@cocotb.parametrize(off=[-0.03, 0, 0.03])
async def replays_a_session(dut, off):
    """What a golden device answered, this one answers too, to a host whose baud is off."""
    transcript = json.loads(Path(os.environ["SPIKELOOM_TRANSCRIPT"]).read_text())
    dut.rst.value = 1
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    source = UartSource(dut.rx, baud=round(BAUD * (1 + off)), bits=8)
    sink = UartSink(dut.tx, baud=round(BAUD), bits=8)
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    for way, data in transcript:
        data = bytes.fromhex(data)
        if way == ">":
            await source.write(data)
            await source.wait()
        else:
            received = bytearray()
            while len(received) < len(data):
                received += await with_timeout(sink.read(1), 1000 * DIVISOR * PERIOD_NS, "ns")
            assert received == data
