"""Driving one core with AXI4-Stream ports, whatever core it is."""

from contextlib import asynccontextmanager
from dataclasses import dataclass

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotb.utils import get_sim_time

from ..simulators.cocotb_run import PERIOD_NS
from .axi_stream import StreamSink, StreamSource


@dataclass
class Outcome:
    """What one run gave: output `beats` and the clocks from start to the last of them."""

    beats: list
    cycles: int


class CoreBench:
    """Clock, reset and streams of a generated core.

    Parameters
    ----------
    dut : the cocotb handle of the top module.
    operands : names of the input streams.
    """

    def __init__(self, dut, operands=("q", "k", "v")):
        self.dut = dut
        self.sources = {name: StreamSource(dut, name) for name in operands}
        self.sink = StreamSink(dut, "o")
        dut.start.value = 0
        dut.seed.value = 0
        Clock(dut.clk, PERIOD_NS, unit="ns").start()

    async def reset(self):
        """Hold reset for two clocks."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value = 0
        await RisingEdge(self.dut.clk)

    @asynccontextmanager
    async def feeding(self, beats):
        """Start a run and feed it `beats` meanwhile; afterwards drop what is left of them."""
        tasks = [
            cocotb.start_soon(source.send(beats[name])) for name, source in self.sources.items()
        ]
        self.dut.start.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.dut.start.value = 0
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for source in self.sources.values():
                source.idle()

    async def run(self, beats, seed, outputs, *, timeout, preload=0, stalls=None):
        """One run: feed `beats`, start with `seed`, collect `outputs` output beats.

        Parameters
        ----------
        beats : operand name to list of (data, last); operands left out come from elsewhere.
        timeout : clocks after which the run counts as hung.
        preload : clocks between offering the operands and start.
        stalls : name of a stream to its `Stalls`, for streams that pause.

        Returns an `Outcome`.
        """
        stalls = stalls or {}
        feeding = [
            cocotb.start_soon(source.send(beats[name], stalls.get(name)))
            for name, source in self.sources.items()
            if name in beats
        ]
        if preload:
            await ClockCycles(self.dut.clk, preload)
        self.dut.seed.value = seed
        self.dut.start.value = 1
        await RisingEdge(self.dut.clk)
        begun = get_sim_time("ns")
        self.dut.start.value = 0
        received = await with_timeout(
            self.sink.receive(outputs, stalls.get("o")), timeout * PERIOD_NS, "ns"
        )
        cycles = round((get_sim_time("ns") - begun) / PERIOD_NS)
        told = int(self.dut.busy.value), int(self.dut.done.value)
        assert told == (1, 1), f"busy, done are {told} with the last output beat"
        for task in feeding:
            await with_timeout(task, 100 * PERIOD_NS, "ns")
        await RisingEdge(self.dut.clk)
        told = int(self.dut.busy.value), int(self.dut.done.value)
        assert told == (0, 0), f"busy, done are {told} after the last output beat"
        return Outcome(received, cycles)
