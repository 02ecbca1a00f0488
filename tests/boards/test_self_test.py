"""The self-test: passes on the golden CRC, fails on any other, in the simulator."""

import binascii

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikeloom.cores.ssa import SSA
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.presets import preset_config
from spikeloom_boards.rom_stream import RomStream
from spikeloom_boards.self_test import SelfTest, make_self_test, output_crc

SMALL = {"tokens": 6, "head_dim": 12, "steps": 5}
CONFIGS = [
    SMALL,
    SMALL | {"inputs": "values", "head_dim": 4},
    SMALL | {"head_dim": 20, "value_dim": 4, "mask": "causal"},
]


def run(test, clocks=100_000):
    """(passed, failed, clocks) when one of the lights turns on."""
    verdict = []

    async def bench(ctx):
        for clock in range(clocks):
            if ctx.get(test.passed) or ctx.get(test.failed):
                verdict.append((ctx.get(test.passed), ctx.get(test.failed), clock))
                return
            await ctx.tick()

    simulator = Simulator(test)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return verdict[0]


@pytest.mark.parametrize("keys", CONFIGS)
@pytest.mark.parametrize("rom_steps", [1, 2])
def test_passes(keys, rom_steps):
    assert run(make_self_test(SSA.from_settings(keys), rom_steps))[:2] == (1, 0)


def test_fails_on_another_crc():
    test = make_self_test(SSA(**SMALL))
    test._expected ^= 1
    assert run(test)[:2] == (0, 1)


def test_fails_on_a_flipped_operand_bit():
    test = make_self_test(SSA(**SMALL))
    data, last = test._operands["v"][0]
    test._operands["v"][0] = (data ^ 0xFFF, last)
    assert run(test)[:2] == (0, 1)


def test_fails_when_the_core_hangs():
    """V never ends a tensor correctly, so the core hangs and the cycle limit applies."""
    config = SSA(**SMALL)
    operands = config.random_operands(np.random.default_rng(0))
    beats = {name: port.pack(operands[name]) for name, port in config.inputs.items()}
    test = SelfTest(config, beats, expected=0, limit=200)
    passed, failed, clocks = run(test)
    assert (passed, failed) == (0, 1)
    assert clocks <= 202


def test_crc_is_that_of_zlib():
    config = SSA(tokens=2, head_dim=9, steps=1)
    output = np.zeros((1, 2, 9), np.uint8)
    output[0, 0, 0] = output[0, 1, 8] = 1
    assert output_crc(config, {"o": output}) == binascii.crc32(bytes([1, 0, 0, 1]))


def test_rom_stream_plays_beats_over_and_over():
    beats = [(0xABCDE, 0), (0x12345, 1), (0x00001, 0), (0xFFFFF, 1)]
    rom = RomStream(beats, 20)
    seen = []

    async def bench(ctx):
        ctx.set(rom.o.ready, 1)
        for _ in range(10):
            (payload,) = await ctx.tick().sample(rom.o.payload).until(rom.o.valid)
            seen.append((int(payload.data), int(payload.last)))

    simulator = Simulator(rom)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == (beats * 3)[:10]


PAPER = {"tokens": 64, "head_dim": 64}


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(
            preset_config("ssa", BOARDS["icebreaker"]), id="diagonals", marks=pytest.mark.long
        ),
        pytest.param(preset_config("ssa", BOARDS["ulx3s-85f"]), id="rows", marks=pytest.mark.long),
        pytest.param(SSA(**PAPER, cells=16, bits=8), id="counter", marks=pytest.mark.long),
        pytest.param(
            SSA(tokens=16, head_dim=16, cells=16, bits=16), id="whole rows", marks=pytest.mark.long
        ),
        pytest.param(
            SSA(**PAPER, cells=64, bits=64), id="whole rows of 64", marks=pytest.mark.slow
        ),
    ],
)
def test_the_bitstreams_own_self_test_passes(config, tmp_path):
    """The self-test of each board's bitstream, simulated completely on Verilator."""
    from spikeloom.export.verilog import component_to_verilog
    from spikeloom_sim.backends.rtl import build_simulation
    from spikeloom_sim.simulators.cocotb_run import run_cocotb

    module = component_to_verilog(make_self_test(config), "selftest")
    arguments = build_simulation(module, "verilator", tmp_path)
    tests, failures = run_cocotb(
        *("verilator", module.name, tmp_path, "tests.boards.self_test_bench"), arguments=arguments
    )
    assert (tests, failures) == (1, 0), (tmp_path / "simulation.log").read_text()[-2000:]
