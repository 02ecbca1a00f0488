"""A bus master in place of the CPU of a LiteX SoC: memory, DMAs, registers and interrupts."""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.wishbone.driver import WBOp, WishboneMaster

from spikeloom_sim.simulators.cocotb_run import PERIOD_NS

JOB = json.loads(Path(os.environ["SPIKELOOM_JOB"]).read_text())
SOC = JOB["soc"]
SIGNALS = {name: name for name in ("cyc", "stb", "we", "adr", "sel", "ack", "err")}
SIGNALS |= {"datwr": "dat_w", "datrd": "dat_r"}


class Bus:
    """The master: words, CSRs by name, and bytes in memory."""

    def __init__(self, dut):
        self.master = WishboneMaster(dut, "tester", dut.clk, timeout=5000, signals_dict=SIGNALS)

    async def words(self, address, values=None, count=1):
        """Write `values` from `address` on, or read `count` words."""
        given = [None] * count if values is None else values
        answers = await self.master.send_cycle(
            [WBOp(address // 4 + n, value) for n, value in enumerate(given)]
        )
        assert all(answer.ack == 1 for answer in answers), hex(address)
        return None if values is not None else [int(answer.datrd) for answer in answers]

    async def csr(self, name, value=None):
        """Read or write a CSR; of several words, the first is the highest."""
        register = SOC["csr_registers"][name]
        size = register["size"]
        if value is None:
            words = await self.words(register["addr"], count=size)
            return sum(word << 32 * n for n, word in enumerate(reversed(words)))
        parts = [value >> 32 * n & 0xFFFFFFFF for n in reversed(range(size))]
        await self.words(register["addr"], parts)
        return None


class Peripheral:
    """One design in the SoC: its tensors in memory, and its control."""

    def __init__(self, dut, bus, design):
        self.dut, self.bus, self.design = dut, bus, design
        self.name = design["name"]
        self.irq = getattr(dut, f"irq_{self.name}")
        place = SOC["memories"]["main_ram"]["base"]
        self.places = {}
        for stream in design["streams"]:
            self.places[stream["name"]] = place
            place += -(-self.length(stream) // 4) * 4
        assert place <= SOC["memories"]["main_ram"]["base"] + SOC["memories"]["main_ram"]["size"]

    @staticmethod
    def beat_bytes(stream):
        """Bytes of a beat in memory."""
        return 1 << (stream["tdata_bits"] // 8 - 1).bit_length()

    def length(self, stream):
        """Bytes of a run in memory."""
        return -(-self.beat_bytes(stream) * stream["beats"] // 4) * 4

    async def store(self, stream, beats):
        """Write the beats of a run to memory."""
        size = self.beat_bytes(stream)
        data = b"".join(word.to_bytes(size, "little") for word, _ in beats)
        data = data.ljust(self.length(stream), b"\xa5")  # what follows the last beat is skipped
        words = [int.from_bytes(data[n : n + 4], "little") for n in range(0, len(data), 4)]
        await self.bus.words(self.places[stream["name"]], words)

    async def fetch(self, stream):
        """Read the beats of a run from memory."""
        size = self.beat_bytes(stream)
        words = await self.bus.words(self.places[stream["name"]], count=self.length(stream) // 4)
        data = b"".join(word.to_bytes(4, "little") for word in words)
        return [
            int.from_bytes(data[n * size : (n + 1) * size], "little")
            for n in range(stream["beats"])
        ]

    async def enable(self, stream, on):
        """Start or stop the DMA of a stream."""
        dma = f"{self.name}_{stream['name']}_dma"
        if on:
            await self.bus.csr(f"{dma}_base", self.places[stream["name"]])
            await self.bus.csr(f"{dma}_length", self.length(stream))
        await self.bus.csr(f"{dma}_enable", int(on))

    async def begin(self, run):
        """Operands, DMAs, seed and start."""
        for stream in self.of_runs():
            if stream["direction"] == "input":
                await self.store(stream, run["inputs"][stream["name"]])
            await self.enable(stream, True)
        if self.design["shell"] is None:
            if run["seed"] is not None:
                await self.bus.csr(f"{self.name}_seed", run["seed"])
            await self.bus.csr(f"{self.name}_control", 1)
            return
        if run["seed"] is not None:
            await self.bus.words(self.register("SEED_LOW"), [run["seed"] & 0xFFFFFFFF])
            await self.bus.words(self.register("SEED_HIGH"), [run["seed"] >> 32])
        await self.bus.words(self.register("CONTROL"), [1])

    def of_runs(self):
        """The streams that take part in each run."""
        return [stream for stream in self.design["streams"] if not stream["once"]]

    def register(self, name):
        """Address of a register of a shell."""
        (register,) = [r for r in self.design["registers"] if r["name"] == name]
        return SOC["memories"][self.name]["base"] + register["offset"]

    async def stop(self):
        """Stop all DMAs."""
        for stream in self.of_runs():
            await self.enable(stream, False)

    async def run(self, run):
        """A whole run: the interrupt comes when the outputs are in memory."""
        written = 1 << self.design["written"]
        await self.bus.csr(f"{self.name}_ev_pending", 0xFF)
        await self.bus.csr(f"{self.name}_ev_enable", written)
        assert not self.irq.value
        await self.begin(run)
        if not self.irq.value:
            await with_timeout(RisingEdge(self.irq), 50 * JOB["limit"] * PERIOD_NS, "ns")
        assert await self.bus.csr(f"{self.name}_ev_pending") & written
        await self.bus.csr(f"{self.name}_ev_pending", written)
        assert not self.irq.value
        for stream in self.of_runs():
            if stream["direction"] == "output":
                expected = [word for word, _ in run["outputs"][stream["name"]]]
                assert await self.fetch(stream) == expected, stream["name"]
        if self.design["shell"] is None:
            cycles = await self.bus.csr(f"{self.name}_cycles")
        else:
            (cycles,) = await self.bus.words(self.register("CYCLES"))
        assert run["cycles"] <= cycles < 50 * JOB["limit"]
        await self.stop()


async def start(dut):
    """The bus after reset."""
    dut.rst.value = 1
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    await ClockCycles(dut.clk, 2)
    bus = Bus(dut)
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    return bus


@cocotb.test(timeout_time=400 * JOB["limit"] * PERIOD_NS, timeout_unit="ns")
async def runs_equal_the_golden_model(dut):
    """Every design in turn: what is loaded once, then its runs, one after another."""
    bus = await start(dut)
    for design in JOB["designs"]:
        peripheral = Peripheral(dut, bus, design)
        for stream in design["streams"]:
            if stream["once"]:
                await peripheral.store(stream, design["loads"][stream["name"]])
                await peripheral.enable(stream, True)
                while not await bus.csr(f"{design['name']}_{stream['name']}_dma_done"):
                    await ClockCycles(dut.clk, 20)
                await peripheral.enable(stream, False)
        for run in design["runs"]:
            await peripheral.run(run)


@cocotb.test(timeout_time=400 * JOB["limit"] * PERIOD_NS, timeout_unit="ns")
async def reset_in_the_middle_of_a_run(dut):
    """CSRs: a reset drops a run with its DMAs, and the next one is right; the event of a run that
    is complete, and its status."""
    bus = await start(dut)
    (design,) = [design for design in JOB["designs"] if design["shell"] is None]
    name = design["name"]
    peripheral = Peripheral(dut, bus, design)
    assert f"{await bus.csr(f'{name}_config_hash'):016x}" == design["hash"]
    await peripheral.begin(design["runs"][0])
    assert await bus.csr(f"{name}_status") & 1
    await peripheral.stop()
    await bus.csr(f"{name}_control", 2)
    assert await bus.csr(f"{name}_status") == 0
    await peripheral.run(design["runs"][1])
    assert await bus.csr(f"{name}_status") == 2
    assert await bus.csr(f"{name}_misframed") == 0
    assert await bus.csr(f"{name}_ev_pending") == 1
