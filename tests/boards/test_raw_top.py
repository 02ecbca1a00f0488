"""The self-test for plain Verilog flows: ports, lights and clock."""

import re

import pytest
from amaranth.sim import Simulator

from spikeloom.cores.ssa import SSA
from spikeloom_boards.boards import BOARDS
from spikeloom_boards.constraints import constraints_text
from spikeloom_boards.raw_top import RawTop
from spikeloom_boards.self_test import make_self_test

CONFIG = SSA(tokens=2, head_dim=2, steps=1)


PINS = {
    "ice40": r"^set_io.* (\w+) \w+$",
    "gowin": r'^IO_LOC "(\w+)" \w+;',
    "gatemate": r'^Pin_inout "(\w+)"',
    "ecp5": r'LOCATE COMP "(\w+)" SITE',
}


@pytest.mark.parametrize("board", BOARDS)
def test_every_port_has_a_pin(board):
    target = BOARDS[board]
    ports = set(RawTop(target, make_self_test(CONFIG)).signature.members)
    constrained = set(re.findall(PINS[target.family.NAME], constraints_text(target), re.MULTILINE))
    assert constrained == ports | {"uart_rx", "uart_tx"}
    assert {"board_clk", "led_pass"} <= ports


@pytest.mark.parametrize(
    ("board", "halved", "lit", "tied"),
    [
        ("hx8k-breakout", False, {"led_pass": 1, "led_fail": 0}, {}),
        ("versa-ecp5", True, {"led_pass": 0, "led_fail": 1}, {}),  # 100 MHz, low lights
        ("tinyfpga-bx", False, {"led_pass": 1}, {}),
        ("butterstick", False, {"led_pass": 1, "led_fail": 0}, {"tied_0": 1}),
    ],
)
def test_lights(board, halved, lit, tied):
    """The pass light turns on after reset and self-test."""
    top = RawTop(BOARDS[board], make_self_test(CONFIG))
    clocks = []

    async def bench(ctx):
        for clock in range(20_000):
            ctx.set(top.board_clk, clock % 2)
            await ctx.delay(1e-8)
            if all(ctx.get(getattr(top, port)) == level for port, level in (lit | tied).items()):
                clocks.append(clock // 2)
                if len(clocks) == 20:  # it stays
                    return
            elif clock > 100:
                clocks.clear()

    simulator = Simulator(top)
    simulator.add_testbench(bench)
    simulator.run()
    assert len(clocks) == 20
    assert clocks[0] > (2048 if halved else 1024)
    assert clocks[0] < (4000 if halved else 2000)
