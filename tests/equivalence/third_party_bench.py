"""cocotb test with cocotbext-axi as the peer of every stream."""

import json
import os

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from spikeloom.cores.ssa import SSA


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def through_cocotbext_axi(dut):
    """One frame per time step in and out, with pauses on every side."""
    config = SSA.from_settings(json.loads(os.environ["SPIKELOOM_CONFIG"]))
    operands = config.random_operands(np.random.default_rng(1))
    Clock(dut.clk, 10, unit="ns").start()
    ends = {}
    for name in "qkv":
        bus = AxiStreamBus.from_prefix(dut, f"s_axis_{name}")
        ends[name] = AxiStreamSource(bus, dut.clk, dut.rst, byte_lanes=1)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_o"), dut.clk, dut.rst, byte_lanes=1)
    for n, end in enumerate([*ends.values(), sink]):
        end.set_pause_generator((k * (n + 3) // 7) % 3 == 0 for k in range(100_000))

    dut.rst.value = 1
    dut.start.value = 0
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    await RisingEdge(dut.clk)

    size = -(-config.head_dim // 8)
    for name, port in config.inputs.items():
        beats = port.pack(operands[name])
        for step in range(config.steps):
            rows = beats[step * config.tokens : (step + 1) * config.tokens]
            frame = [data.to_bytes(size, "little") for data, _ in rows]
            await ends[name].send(AxiStreamFrame([int(x) for row in frame for x in row]))
    dut.seed.value = config.seed
    dut.start.value = 1
    await RisingEdge(dut.clk)
    dut.start.value = 0

    expected = config.compute(**operands)["o"]
    for step in range(config.steps):
        frame = await sink.recv()
        packed = np.frombuffer(bytes(frame.tdata), np.uint8).reshape(config.tokens, -1)
        found = np.unpackbits(packed, axis=-1, bitorder="little")[:, : config.value_dim]
        assert (found == expected[step]).all()
    assert not int(dut.misframed.value)
