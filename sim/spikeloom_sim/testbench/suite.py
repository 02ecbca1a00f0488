"""The cocotb regression of any core: one build, many scenarios.

The configuration is JSON in the environment variable ``SPIKELOOM_CONFIG``; ``SPIKELOOM_RESETS`` is
the number of runs that are reset in a random cycle. Every test runs the core against its golden
model, bit for bit, within a time limit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, RisingEdge, Timer, with_timeout

from spikeloom.cores import find_core
from spikeloom.stream_unit import StreamUnit

from ..simulators.cocotb_run import PERIOD_NS
from .axi_stream import Stalls
from .core_bench import CoreBench

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEDS = (1, 0x0000FFFF_0000FFFF, 0xDEADBEEF_01234567, 0x9E3779B9_7F4A7C15)
RESET_CYCLES = 1_000  # for each reset, and at least 40,000: longer runs are reset less often

_SETTINGS = json.loads(os.environ.get("SPIKELOOM_CONFIG", "{}"))
_RESETS = int(os.environ.get("SPIKELOOM_RESETS", "0"))


class Scenario:
    """A bench, the golden model, and a comparison of both."""

    def __init__(self, dut: Any) -> None:
        settings = dict(_SETTINGS)
        self.core = find_core(settings.pop("core")).from_settings(settings)
        outputs = {name: port.beats for name, port in self.core.outputs.items()}
        loads = {name: port.pack(tensor) for name, (port, tensor) in self.core.loads.items()}
        self.bench = CoreBench(dut, self.core.inputs, outputs, loads)
        self.dut = dut

    def operands(self, seed: int, density: float = 0.5) -> dict[str, NDArray]:
        """Random operands of the configured shape."""
        return self.core.random_operands(np.random.default_rng(seed), density)

    def beats(self, operands: Mapping[str, NDArray]) -> dict[str, list[tuple[int, int]]]:
        """Stream beats of operands, by name."""
        return {name: port.pack(operands[name]) for name, port in self.core.inputs.items()}

    def feed(
        self, runs: Iterable[Mapping[str, NDArray]], stalls: Mapping[str, Stalls] | None = None
    ) -> list[Any]:
        """Begin to send the operands of several runs, one after the other; returns the tasks."""
        beats = [self.beats(operands) for operands in runs]
        pauses = stalls or {}
        return [
            cocotb.start_soon(
                source.send([beat for run in beats for beat in run[name]], pauses.get(name))
            )
            for name, source in self.bench.sources.items()
        ]

    async def check(
        self,
        operands: Mapping[str, NDArray],
        seed: int,
        *,
        preload: bool = True,
        stalls: Mapping[str, Stalls] | None = None,
        slack: int = 1,
        fed: bool = False,
        started: bool = False,
        next_seed: int | None = None,
    ) -> int:
        """Run once and compare every bit of the outputs and flags; returns the number of cycles.

        `slack` multiplies the time limit, for streams that pause. `fed`: the caller already sends
        the operands. `started`, `next_seed`: see `CoreBench.run`.
        """
        core, before = self.core.with_seed(seed), self.flags()
        outcome = await self.bench.run(
            {} if fed else self.beats(operands),
            seed,
            timeout=slack * core.time_limit(),
            preload=core.preload_cycles() if preload and not started else 0,
            stalls=stalls,
            started=started,
            next_seed=next_seed,
        )
        expected = core.compute(**operands)
        for name, port in core.outputs.items():
            output = port.unpack(outcome.beats[name])
            wrong = int((output != expected[name]).sum())
            message = f"{wrong} of {output.size} of {name} differ from the golden model"
            assert wrong == 0, message
        assert not int(self.dut.misframed.value)
        # Operands that the caller already sends may count before their run.
        for name, flag in core.flags.items() if not fed else ():
            if name in expected:
                found, now = self.flags()[name], flag.after(before[name], int(expected[name]))
                assert found == now, f"{name} is {found}, not {now}"
        return outcome.cycles

    def flags(self) -> dict[str, int]:
        """The value of each flag."""
        return {name: int(getattr(self.dut, name).value) for name in self.core.flags}

    def outputs_valid(self) -> list[str]:
        """Names of the outputs with valid asserted."""
        return [n for n in self.core.outputs if int(getattr(self.dut, f"m_axis_{n}_tvalid").value)]


@cocotb.test()
async def cycles_are_as_predicted(dut: Any) -> None:
    """Preloaded operands, no stalls: the formula is exact, for several seeds in sequence, which
    differ in every bit; the last run has so many zeros that whole tokens are zero."""
    scenario = Scenario(dut)
    await scenario.bench.reset()
    for seed, density in zip(SEEDS, (0.5, 0.5, 0.5, 0.2), strict=True):
        operands = scenario.operands(seed, density)
        predicted = scenario.core.with_seed(seed).cycles(**operands)
        assert await scenario.check(operands, seed) == predicted


@cocotb.test()
async def streams_at_full_speed(dut: Any) -> None:
    """Operands begin at start; runs in sequence, with few and with many zeros. The operands of the
    last run begin in the cycle of `done`."""
    scenario = Scenario(dut)
    await scenario.bench.reset()
    for seed, density in ((3, 0.5), (4, 0.1), (2**64 - 1, 0.9)):
        await scenario.check(scenario.operands(seed, density), seed, preload=False)
    first, second = scenario.operands(22), scenario.operands(23)
    beats = scenario.beats(second)

    async def send_at_done(name, source):
        await RisingEdge(dut.done)
        await source.send(beats[name])

    feeding = [
        cocotb.start_soon(send_at_done(name, source))
        for name, source in scenario.bench.sources.items()
    ]
    await scenario.check(first, 22)
    await scenario.check(second, 23, preload=False, fed=True)
    for task in feeding:
        await task


@cocotb.test()
async def stalls_on_every_stream(dut: Any) -> None:
    """All streams pause at random; then only the outputs, for long; then only the inputs; at last
    the outputs wait for valid before they are ready."""
    scenario = Scenario(dut)
    await scenario.bench.reset()
    ends = [*scenario.bench.sources, *scenario.bench.sinks]
    everywhere = {name: Stalls(0.4, n) for n, name in enumerate(ends)}
    operands = scenario.operands(5)
    await scenario.check(operands, 5, preload=False, stalls=everywhere, slack=6)
    waiting = {name: Stalls(0.9, 9 + n) for n, name in enumerate(scenario.bench.sinks)}
    await scenario.check(operands, 6, stalls=waiting, slack=30)
    slow = {name: Stalls(0.8, 20 + n) for n, name in enumerate(scenario.bench.sources)}
    await scenario.check(operands, 5, preload=False, stalls=slow, slack=30)
    shy = {name: Stalls(after_valid=True) for name in scenario.bench.sinks}
    await scenario.check(operands, 6, stalls=shy, slack=6)


@cocotb.test()
async def one_stream_is_slow(dut: Any) -> None:
    """Each stream in turn pauses for long, while the others do not, and offer the operands of the
    next run as well."""
    scenario = Scenario(dut)
    await scenario.bench.reset()
    for number, name in enumerate([*scenario.bench.sources, *scenario.bench.sinks]):
        slow = {name: Stalls(0.9, 40 + number)}
        runs = {seed: scenario.operands(seed) for seed in range(50 + 2 * number, 52 + 2 * number)}
        feeding = scenario.feed(runs.values(), slow)
        for seed, operands in runs.items():
            await scenario.check(operands, seed, stalls=slow, slack=30, fed=True)
        for task in feeding:
            await task


@cocotb.test()
async def operands_of_the_next_run_come_early(dut: Any) -> None:
    """Operands are offered continuously, also at the end of a run; each run uses its own."""
    scenario = Scenario(dut)
    await scenario.bench.reset()
    runs = {seed: scenario.operands(seed) for seed in (11, 12, 13)}
    feeding = scenario.feed(runs.values())
    for seed, operands in runs.items():
        ending = {name: Stalls(0.9, seed) for name in scenario.bench.sinks}
        await scenario.check(operands, seed, stalls=ending, slack=30, fed=True)
    for task in feeding:
        await task


@cocotb.test()
async def runs_without_a_pause(dut: Any) -> None:
    """Each run starts in the cycle of the `done` before."""
    scenario = Scenario(dut)
    await scenario.bench.reset()
    runs = {seed: scenario.operands(seed) for seed in (18, 19, 20)}
    feeding = scenario.feed(runs.values())
    first, second, third = runs
    await scenario.check(runs[first], first, fed=True, next_seed=second)
    await scenario.check(runs[second], second, fed=True, started=True, next_seed=third)
    await scenario.check(runs[third], third, fed=True, started=True)
    for task in feeding:
        await task


@cocotb.test()
async def runs_at_once(dut: Any) -> None:
    """`start` stays high in a core that computes several runs at once: each has its own outputs, in
    order, also if these wait until no part of the core can go on."""
    scenario = Scenario(dut)
    core, bench = scenario.core, scenario.bench
    if core.at_once == 1:
        return
    runs = [scenario.operands(seed) for seed in range(24, 27 + 2 * core.at_once)]
    expected = [core.compute(**operands) for operands in runs]
    for waited in (1, len(runs) * core.cycles()):
        await bench.reset()
        feeding = scenario.feed(runs)
        dut.start.value = 1
        await Timer(waited * PERIOD_NS, "ns")  # quicker than to count the edges
        await RisingEdge(dut.clk)
        limit = len(runs) * core.time_limit() * PERIOD_NS
        received = await with_timeout(bench.receive({}, len(runs)), limit, "ns")
        for name, port in core.outputs.items():
            for number, outputs in enumerate(expected):
                beats = received[name][number * port.beats : (number + 1) * port.beats]
                found = port.unpack(beats)
                assert (found == outputs[name]).all(), f"{name} of run {number} is wrong"
        for task in feeding:
            await task
        dut.start.value = 0


@cocotb.test()
async def start_means_nothing_while_busy(dut: Any) -> None:
    """Start stays high during a run, with the next operands offered: no second run starts. A unit
    takes none of these operands before its run."""
    scenario = Scenario(dut)
    await scenario.bench.reset()
    first, second = scenario.operands(14), scenario.operands(15)
    feeding = scenario.feed((first, second))

    async def keep_starting():
        await RisingEdge(dut.busy)
        dut.start.value = 1
        await RisingEdge(dut.done)
        dut.start.value = 0

    starting = cocotb.start_soon(keep_starting())
    await scenario.check(first, 14, fed=True)
    await starting
    await ClockCycles(dut.clk, scenario.core.cycles())
    status = int(dut.busy.value), scenario.outputs_valid()
    assert status == (0, []), f"busy, valid outputs are {status} without a start"
    if isinstance(scenario.core, StreamUnit):
        beats = scenario.beats(first)
        early = [n for n, source in scenario.bench.sources.items() if source.sent != len(beats[n])]
        assert not early, f"operands of {early} are taken without a run"
    await scenario.check(second, 15, fed=True)
    for task in feeding:
        await task


@cocotb.test()
async def all_zeros_and_all_ones(dut: Any) -> None:
    """Extremes of the counters: zero, and the maximum without overflow."""
    scenario = Scenario(dut)
    await scenario.bench.reset()
    for density in (-1, 2):
        await scenario.check(scenario.operands(7, density), 7)


@cocotb.test()
async def outputs_at_the_edges(dut: Any) -> None:
    """Operands with which a difference of 1 in a sum changes an output, where the core has such."""
    scenario = Scenario(dut)
    await scenario.bench.reset()
    for number in range(10):
        operands = scenario.core.edge_operands(np.random.default_rng(number))
        if operands is None:
            return
        await scenario.check(operands, number, preload=False)


@cocotb.test()
async def reset_in_the_middle(dut: Any) -> None:
    """A reset of one or two cycles in the middle of a run, in other cycles, and with an output beat
    waiting, discards the run, its operands and flags; the next run is not affected, and takes as
    many cycles as predicted, or has a slow input stream, one after the other. The outputs of every
    other run are taken until the reset."""
    scenario = Scenario(dut)
    bench, cycles = scenario.bench, scenario.core.cycles()
    longest = cycles + scenario.core.preload_cycles()
    names = cycle(bench.sources)
    await bench.reset()
    others = min(_RESETS, max(RESET_CYCLES * _RESETS, 40_000) // longest)
    drawn = np.random.default_rng(8).integers(1, longest, others)
    for number, waited in enumerate((cycles // 2, longest, *map(int, drawn))):
        beats = scenario.beats(scenario.operands(2 * number))
        async with bench.feeding(beats), bench.taking() if number % 4 > 1 else nullcontext():
            await ClockCycles(dut.clk, waited)
        await bench.reset(1 + number % 2)
        assert not int(dut.busy.value)
        assert not scenario.outputs_valid()
        assert not any(scenario.flags().values()), f"after a reset: {scenario.flags()}"
        operands, seed = scenario.operands(2 * number + 1), number + 1
        slow = {name: Stalls(0.7, number) for name in islice(names, number % 3 == 2)}
        taken = await scenario.check(operands, seed, stalls=slow, slack=30 if slow else 1)
        assert slow or taken == scenario.core.with_seed(seed).cycles(**operands)


@cocotb.test()
async def reset_after_an_output(dut: Any) -> None:
    """A reset of one cycle after the first output beat, with the last one, and in the cycle of
    `done`, leaves nothing behind."""
    scenario = Scenario(dut)
    bench = scenario.bench
    await bench.reset()
    beats = scenario.beats(scenario.operands(16))
    for event in (bench.first_beat, bench.last_beat, lambda: RisingEdge(dut.done)):
        async with bench.feeding(beats), bench.taking():
            await with_timeout(event(), scenario.core.time_limit() * PERIOD_NS, "ns")
            dut.rst.value = 1
            await RisingEdge(dut.clk)
            dut.rst.value = 0
        await RisingEdge(dut.clk)
        status = int(dut.busy.value), int(dut.done.value), scenario.outputs_valid()
        assert status == (0, 0, []), f"busy, done, valid outputs are {status} after a reset"
        await bench.reset()
    await scenario.check(scenario.operands(17), 17)


@cocotb.test()
async def misplaced_last_is_reported(dut: Any) -> None:
    """A misplaced `last` on any stream sets `misframed` as soon as its beat is transferred, and not
    before; it stays set until a reset."""
    scenario = Scenario(dut)

    async def none_before_the_beat(source):
        while not source.transfers():
            assert not int(dut.misframed.value), "a beat that waits was reported"
            await RisingEdge(dut.clk)

    for name, source in scenario.bench.sources.items():
        await scenario.bench.reset()
        assert not int(dut.misframed.value)
        beats = scenario.beats(scenario.operands(10))
        data, last = beats[name][0]
        beats[name][0] = (data, not last)
        waiting = cocotb.start_soon(none_before_the_beat(source))
        async with scenario.bench.feeding(beats):
            limit = 4 * scenario.core.preload_cycles() + 1000
            if not int(dut.misframed.value):
                await with_timeout(RisingEdge(dut.misframed), limit * PERIOD_NS, "ns")
            await ClockCycles(dut.clk, 3)
            assert int(dut.misframed.value), f"misplaced last on {name} was forgotten"
            await waiting
    await scenario.bench.reset()
    assert not int(dut.misframed.value)
