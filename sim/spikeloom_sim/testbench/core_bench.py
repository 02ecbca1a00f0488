"""Driver for any core with AXI4-Stream ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotb.utils import get_sim_time

from ..simulators.cocotb_run import PERIOD_NS
from .axi_stream import StreamSink, StreamSource


@dataclass
class Outcome:
    """Result of one run: `beats` of each output, and cycles from start to the last beat."""

    beats: dict
    cycles: int


class CoreBench:
    """Clock, reset and streams of a generated core.

    Parameters
    ----------
    dut : the cocotb handle of the top module.
    inputs : names of the input streams.
    outputs : number of beats per run on each output stream, by name.
    loads : beats (data, last) of each stream that is sent once after reset, by name.
    """

    def __init__(
        self,
        dut: Any,
        inputs: Iterable[str],
        outputs: Mapping[str, int],
        loads: Mapping[str, Sequence[tuple[int, int]]],
    ) -> None:
        self.dut = dut
        self.outputs = outputs
        self.loads = loads
        self.loaders = {name: StreamSource(dut, name) for name in loads}
        self.sources = {name: StreamSource(dut, name) for name in inputs}
        self.sinks = {name: StreamSink(dut, name) for name in outputs}
        dut.start.value = 0
        self._take_seed(0)
        Clock(dut.clk, PERIOD_NS, unit="ns").start()

    async def reset(self, cycles: int = 2) -> None:
        """Assert reset for some cycles, then send the streams that are loaded after reset."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, cycles)
        self.dut.rst.value = 0
        await RisingEdge(self.dut.clk)
        for name, source in self.loaders.items():
            await source.send(self.loads[name])

    @asynccontextmanager
    async def feeding(self, beats: Any) -> AsyncIterator[None]:
        """Start a run and feed it `beats`; on exit, cancel the remaining beats."""
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

    @asynccontextmanager
    async def taking(self) -> AsyncIterator[None]:
        """Accept every output beat, unchecked; on exit, none."""
        for sink in self.sinks.values():
            sink.accept(True)
        try:
            yield
        finally:
            for sink in self.sinks.values():
                sink.accept(False)

    async def first_beat(self) -> None:
        """Wait until an output beat is transferred."""
        while not any(sink.transfers() for sink in self.sinks.values()):
            await RisingEdge(self.dut.clk)

    async def last_beat(self) -> None:
        """Wait until only one output beat is left and offered; it is transferred next."""
        left = sum(self.outputs.values())
        while left > 1:
            await RisingEdge(self.dut.clk)
            left -= sum(sink.transfers() for sink in self.sinks.values())
        for sink in self.sinks.values():
            sink.accept(False)
        await RisingEdge(self.dut.clk)
        while not any(sink.offers() for sink in self.sinks.values()):
            await RisingEdge(self.dut.clk)
        for sink in self.sinks.values():
            sink.accept(True)

    async def run(
        self,
        beats: Any,
        seed: int,
        *,
        timeout: int,
        preload: int = 0,
        stalls: Any = None,
        started: bool = False,
        next_seed: int | None = None,
    ) -> Outcome:
        """One run: feed `beats`, start with `seed`, collect the output beats.

        Parameters
        ----------
        beats : operand name to list of (data, last); missing operands are sent by the caller.
        timeout : cycles after which the run fails as hung.
        preload : cycles between sending the operands and start.
        stalls : `Stalls` by stream name, for streams that pause.
        started : the run before has started this one.
        next_seed : starts the next run with this seed, in the cycle of `done`.

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
        if not started:
            await self._start(seed)
        begun = get_sim_time("ns")
        received = await with_timeout(self.receive(stalls), timeout * PERIOD_NS, "ns")
        cycles = round((get_sim_time("ns") - begun) / PERIOD_NS)
        status = int(self.dut.busy.value), int(self.dut.done.value)
        assert status == (1, 0), f"busy, done are {status} with the last output beat"
        ending = [(0, 1), (0, 0)] if next_seed is None else [(0, 1)]
        for expected in ending:
            await (RisingEdge(self.dut.clk) if next_seed is None else self._start(next_seed))
            status = int(self.dut.busy.value), int(self.dut.done.value)
            assert status == expected, f"busy, done are {status} after the last output beat"
        for task in feeding:
            await with_timeout(task, 100 * PERIOD_NS, "ns")
        return Outcome(received, cycles)

    async def _start(self, seed):
        """Start a run at the next clock edge."""
        self._take_seed(seed)
        self.dut.start.value = 1
        await RisingEdge(self.dut.clk)
        self.dut.start.value = 0

    def _take_seed(self, seed):
        """Apply `seed` if the core has the port."""
        if hasattr(self.dut, "seed"):
            self.dut.seed.value = seed

    async def receive(self, stalls: Any, runs: int = 1) -> dict[str, list[tuple[int, int]]]:
        """Receive the beats of one or more runs on every output."""
        receiving = {
            name: cocotb.start_soon(self.sinks[name].receive(runs * count, stalls.get(name)))
            for name, count in self.outputs.items()
        }
        return {name: await task for name, task in receiving.items()}
