"""cocotb tests of a core behind a register shell, by what its files say of it."""

import json
import os
import random
from functools import partial
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout

from spikeloom_sim.simulators.cocotb_run import PERIOD_NS
from spikeloom_sim.testbench.axi_stream import Stalls, StreamSink, StreamSource
from tests.shell.masters import MASTERS

_PATH = os.environ.get("SPIKELOOM_JOB")
JOB = json.loads(Path(_PATH).read_text()) if _PATH else {}
LIMIT = 200 * JOB["limit"] * PERIOD_NS if JOB else 1
timed_test = partial(cocotb.test, timeout_time=LIMIT, timeout_unit="ns")
BUSY, DONE, LOADED = 1, 2, 4  # of STATUS
START, RESET = 1, 2  # of CONTROL
REFUSED = 2  # of interrupts; the first is done


class Bench:
    """The design, its registers and its streams."""

    def __init__(self, dut):
        self.dut = dut
        self.map = JOB["map"]["registers"]
        self.runs = JOB["runs"]
        self.registers = MASTERS[JOB["map"]["bus"]](dut, self.map)
        self.sources = {name: StreamSource(dut, name) for name in JOB["inputs"]}
        self.loaders = {name: StreamSource(dut, name) for name in JOB["loads"]}
        self.sinks = {name: StreamSink(dut, name) for name in JOB["outputs"]}

    async def reset(self, *, load=True):
        """A reset pulse, then the streams that are loaded once."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 3)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)
        if load:
            for name, source in self.loaders.items():
                await source.send(JOB["loads"][name])

    async def begin(self, run):
        """Write the seed, if there is one, and start."""
        if run["seed"] is not None:
            await self.registers.write("SEED_LOW", run["seed"] & 0xFFFFFFFF)
            await self.registers.write("SEED_HIGH", run["seed"] >> 32)
        await self.registers.write("CONTROL", START)

    def feed(self, run, stalls=()):
        """Send the operands of a run."""
        stalls = dict(stalls)
        return [
            cocotb.start_soon(source.send(run["inputs"][name], stalls.get(name)))
            for name, source in self.sources.items()
        ]

    async def receive(self, run, stalls=()):
        """Receive the outputs of a run, and compare them."""
        stalls = dict(stalls)
        tasks = {
            name: cocotb.start_soon(sink.receive(len(run["outputs"][name]), stalls.get(name)))
            for name, sink in self.sinks.items()
        }
        for name, task in tasks.items():
            beats = await with_timeout(task, 30 * JOB["limit"] * PERIOD_NS, "ns")
            assert [list(beat) for beat in beats] == run["outputs"][name], name

    async def run(self, run, stalls=()):
        """A whole run, started by the register."""
        feeding = self.feed(run, stalls)
        if not stalls:
            await ClockCycles(self.dut.clk, JOB["preload"])
        receiving = cocotb.start_soon(self.receive(run, stalls))
        await self.begin(run)
        assert await self.registers.read("STATUS") & (BUSY | DONE)
        await receiving
        for task in feeding:
            await task
        await ClockCycles(self.dut.clk, 4)
        loaded = LOADED if JOB["loads"] else 0
        assert await self.registers.read("STATUS") == DONE | loaded
        assert await self.registers.read("FLAGS") == 0


async def start(dut):
    """A `Bench` in reset. Icarus keeps what a master deposits at time 0 from some processes."""
    dut.rst.value = 1
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    await ClockCycles(dut.clk, 2)
    return Bench(dut)


@timed_test()
async def registers_after_reset(dut):
    """Each has the value that its documents give, and write-only ones read as 0."""
    bench = await start(dut)
    await bench.reset(load=False)
    for register in bench.map:
        value, error = await bench.registers.access(register["offset"])
        assert (value, error) == (register["reset"], False), register["name"]
    assert await bench.registers.read("ID") == 0x4C4B5053
    low, high = [await bench.registers.read(f"CONFIG_{half}") for half in ("LOW", "HIGH")]
    assert f"{high:08x}{low:08x}" == JOB["hash"]


@timed_test()
async def accesses_are_as_documented(dut):
    """Read-only registers, bytes of stored ones, and addresses without a register; the master
    stalls every channel."""
    bench = await start(dut)
    await bench.reset(load=False)
    bench.registers.pause(0.4, 7)
    rng = random.Random(3)
    for register in bench.map:
        offset, access = register["offset"], register["access"]
        before, _ = await bench.registers.access(offset)
        if access == "read-only":
            _, error = await bench.registers.access(offset, rng.getrandbits(32))
            assert error, register["name"]
            assert (await bench.registers.access(offset))[0] == before
        elif access == "read-write":
            stored = [f for f in register["fields"] if f["access"] == "read-write"]
            bits = sum(((1 << f["bits"]) - 1) << f["low"] for f in stored)
            for _ in range(12):
                first, count = rng.choice([(0, 4), (0, 1), (1, 2), (3, 1), (2, 2)])
                value = rng.getrandbits(32)
                mask = ((1 << 8 * count) - 1) << 8 * first & bits
                _, error = await bench.registers.access(offset, value, first, count)
                before = before & ~mask | value & mask
                assert (await bench.registers.access(offset), error) == ((before, False), False)
    known = {register["offset"] for register in bench.map}
    unknown = [offset for offset in range(0, 0x1000, 4) if offset not in known]
    for offset in {*unknown[:4], *unknown[-2:], *rng.sample(unknown, 8)}:
        assert await bench.registers.access(offset, 0xFFFFFFFF) == (None, True)
        assert await bench.registers.access(offset) == (0, True)
    assert await bench.registers.read("STATUS") == 0


@timed_test(skip=not JOB or JOB["map"]["bus"] != "axi-lite")
async def channels_of_axi_in_any_order(dut):
    """The data of a write before its address, the reverse, and addresses between words."""
    bench = await start(dut)
    await bench.reset(load=False)
    master = bench.registers.master
    enable = bench.registers.by_name["IRQ_ENABLE"]["offset"]
    for late, early in (("aw", "w"), ("w", "aw")):
        held = getattr(master.write_if, f"{late}_channel")
        for value in (1, 2, 3):
            held.pause = True
            writing = master.init_write(enable, value.to_bytes(4, "little"))
            taken = 0
            for _ in range(12):
                await RisingEdge(dut.clk)
                valid = getattr(dut, f"s_axi_{early}valid").value
                taken += int(valid) & int(getattr(dut, f"s_axi_{early}ready").value)
                assert not dut.s_axi_bvalid.value
            assert taken == 1, f"{early} waits for {late}"
            held.pause = False
            await writing.wait()
            assert await bench.registers.read("IRQ_ENABLE") == value
    for between in range(4):
        answer = await master.read(enable + between, 4 - between)
        assert answer.data == bytes([3, 0, 0, 0])[between:]


@timed_test()
async def runs_equal_the_golden_model(dut):
    """Outputs, exact cycles, done, and the interrupt; then with stalls on bus and streams."""
    bench = await start(dut)
    registers = bench.registers
    await bench.reset()
    await registers.write("IRQ_ENABLE", 1)
    for run in bench.runs:
        assert not dut.irq.value
        await bench.run(run)
        assert await registers.read("CYCLES") == run["cycles"]
        assert dut.irq.value
        assert await registers.read("IRQ_PENDING") == 1
        await registers.write("IRQ_PENDING", 0xFFFFFFFE)
        assert await registers.read("IRQ_PENDING") == 1
        await registers.write("IRQ_PENDING", 1)
        assert await registers.read("IRQ_PENDING") == 0
    await registers.write("IRQ_ENABLE", 0)
    registers.pause(0.5, 5)
    ends = [*bench.sources, *bench.sinks]
    run = bench.runs[0]
    await bench.run(run, {name: Stalls(0.4, n) for n, name in enumerate(ends)}.items())
    assert await registers.read("IRQ_PENDING") == 1
    assert not dut.irq.value
    await registers.write("IRQ_ENABLE", 1)
    await ClockCycles(dut.clk, 3)
    assert dut.irq.value


@timed_test()
async def reset_in_the_middle_of_a_run(dut):
    """The control register drops a run, its operands and a beat that waits; the next run is
    right, and weights stay."""
    bench = await start(dut)
    registers = bench.registers
    await bench.reset()
    await registers.write("IRQ_ENABLE", 1)
    run = bench.runs[0]
    for waited in (run["cycles"] // 2, run["cycles"] + 30):
        feeding = bench.feed(run)
        await ClockCycles(dut.clk, JOB["preload"])
        await bench.begin(run)
        await ClockCycles(dut.clk, waited)
        assert await registers.read("STATUS") & (BUSY | DONE) == BUSY
        for task in feeding:
            task.cancel()
        for source in bench.sources.values():
            source.idle()
        await registers.write("CONTROL", RESET)
        assert await registers.read("STATUS") == (LOADED if JOB["loads"] else 0)
        assert await registers.read("CYCLES") == 0
        assert await registers.read("IRQ_PENDING") == 0
        assert await registers.read("IRQ_ENABLE") == 1
        assert not any(int(getattr(dut, f"m_axis_{n}_tvalid").value) for n in bench.sinks)
    await bench.run(bench.runs[-1])
    assert await registers.read("CYCLES") == bench.runs[-1]["cycles"]


@timed_test()
async def start_is_refused(dut):
    """While the core is busy, and together with a reset; the run that goes on is right."""
    bench = await start(dut)
    registers = bench.registers
    await bench.reset()
    first, second = bench.runs[0], bench.runs[-1]
    await registers.write("CONTROL", START | RESET)
    assert await registers.read("STATUS") & BUSY == 0
    assert await registers.read("IRQ_PENDING") == REFUSED
    await registers.write("IRQ_PENDING", REFUSED)
    feeding = bench.feed(first)
    await bench.begin(first)
    await registers.write("CONTROL", START)
    assert await registers.read("STATUS") & BUSY
    assert await registers.read("IRQ_PENDING") == REFUSED
    await bench.receive(first)
    for task in feeding:
        await task
    await ClockCycles(dut.clk, first["cycles"] + 50)
    assert await registers.read("STATUS") & (BUSY | DONE) == DONE
    await bench.run(second)


@timed_test(skip=not JOB or not JOB["inputs"])
async def flag_and_its_interrupt(dut):
    """A misplaced tlast: the flag stays until a reset, its interrupt until it is cleared."""
    bench = await start(dut)
    registers = bench.registers
    await bench.reset()
    events = registers.by_name["IRQ_PENDING"]["fields"]
    (event,) = [1 << field["low"] for field in events if field["name"] == "misframed"]
    await registers.write("IRQ_ENABLE", event)
    name, source = next(iter(bench.sources.items()))
    run = bench.runs[0]
    beats = [[data, 1 - last] for data, last in run["inputs"][name]]
    await bench.begin(run)
    feeding = [cocotb.start_soon(source.send(beats))]
    feeding += [
        cocotb.start_soon(other.send(run["inputs"][key]))
        for key, other in bench.sources.items()
        if key != name
    ]
    await with_timeout(RisingEdge(dut.irq), 4 * JOB["limit"] * PERIOD_NS, "ns")
    for task in feeding:
        task.cancel()
    for other in bench.sources.values():
        other.idle()
    assert await registers.read("FLAGS") & 1
    await registers.write("IRQ_PENDING", event)
    await ClockCycles(dut.clk, 3)
    assert not dut.irq.value
    assert await registers.read("FLAGS") & 1
    await registers.write("CONTROL", RESET)
    assert await registers.read("FLAGS") == 0
    for name, loader in bench.loaders.items():
        await loader.send(JOB["loads"][name])
    await bench.run(bench.runs[-1])


@timed_test(skip=not JOB or not JOB["loads"])
async def weights_by_register(dut):
    """A start before them is refused; a whole tensor comes from the register, the next one from
    the stream; a write that finds no room is an error and is repeated."""
    bench = await start(dut)
    registers = bench.registers
    await bench.reset(load=False)
    assert await registers.read("STATUS") == 0
    await registers.write("CONTROL", START)
    assert await registers.read("STATUS") == 0
    assert await registers.read("IRQ_PENDING") == REFUSED
    for name, beats in JOB["loads"].items():
        offset = registers.by_name[f"LOAD_{name.upper()}"]["offset"]
        assert await registers.access(offset, 0x1234, 1, 1) == (None, True)  # not all its bytes
        for number, (data, _) in enumerate(beats):
            if number in (0, 1, len(beats) - 1):
                assert await registers.read("STATUS") == 0
            assert await registers.access(offset, data) == (None, False), number
    assert await registers.read("STATUS") == LOADED
    await bench.run(bench.runs[0])

    # A run takes no weights: one write is held, the next one is an error.
    feeding = bench.feed(bench.runs[-1])
    await bench.begin(bench.runs[-1])
    offsets = [registers.by_name[f"LOAD_{name.upper()}"]["offset"] for name in JOB["loads"]]
    for offset, beats in zip(offsets, JOB["loads"].values(), strict=True):
        assert await registers.access(offset, beats[0][0]) == (None, False)
        assert await registers.access(offset, beats[1][0]) == (None, True)
    await bench.receive(bench.runs[-1])
    for task in feeding:
        await task
    for offset, beats in zip(offsets, JOB["loads"].values(), strict=True):
        for data, _ in beats[1:]:
            assert await registers.access(offset, data) == (None, False)
    await bench.run(bench.runs[0])
    for name, loader in bench.loaders.items():
        await loader.send(JOB["loads"][name])
    await bench.run(bench.runs[-1])
