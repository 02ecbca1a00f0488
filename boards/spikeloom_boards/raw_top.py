"""Top module of the self-test for plain Verilog flows: clock in, lights out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib.wiring import In, Out

from spikeloom.blocks.component import Component

if TYPE_CHECKING:
    from .boards.board import Board
    from .self_test import SelfTest

RESET_CYCLES = 1024  # longer than block RAM needs after configuration, at any board's clock


class RawTop(Component):
    """A self-test with its own reset, clocked by the board's oscillator.

    If the oscillator is faster than the board's default core clock, it is divided by two.

    Parameters
    ----------
    board : the board.
    self_test : component with `passed` and `failed`.

    Members
    -------
    board_clk : In(1), the board's oscillator.
    led_pass, led_fail : Out(1), the verdict; only for lights that the board has.
    tied_0... : Out(1), constant levels of tied pins.
    """

    def __init__(self, board: Board, self_test: SelfTest) -> None:
        self._board = board
        self._self_test = self_test
        resources = board.make_platform().resources
        self._inverted = {
            port: resources["light", n].ios[0].invert for n, port in enumerate(light_ports(board))
        }
        lights = {port: Out(1, init=int(low)) for port, low in self._inverted.items()}  # pyright: ignore[reportCallIssue]
        tied = dict.fromkeys(tied_ports(board), Out(1))
        super().__init__({"board_clk": In(1)} | lights | tied)

    def elaborate(self, platform):
        m = Module()

        clk = self.board_clk
        if self._board.oscillator > self._board.frequency:
            m.domains.board = ClockDomain(reset_less=True, local=True)
            m.d.comb += ClockSignal("board").eq(self.board_clk)
            clk = Signal(name="half_clk")
            m.d.board += clk.eq(~clk)

        m.domains += [ClockDomain("por", reset_less=True, local=True), ClockDomain("sync")]
        waited = Signal(range(RESET_CYCLES))
        ready = Signal()
        m.d.por += ready.eq(ready | (waited == RESET_CYCLES - 1))
        m.d.por += waited.eq(waited + 1)
        m.d.comb += [
            ClockSignal("por").eq(clk),
            ClockSignal("sync").eq(clk),
            ResetSignal("sync").eq(~ready),
        ]

        m.submodules.self_test = test = self._self_test
        lit = {"led_pass": test.passed, "led_fail": test.failed}
        for port, low in self._inverted.items():
            m.d.sync += getattr(self, port).eq(~lit[port] if low else lit[port])
        for port, level in zip(tied_ports(self._board), self._board.tied.values(), strict=True):
            m.d.comb += getattr(self, port).eq(level)

        return m


def light_ports(board: Board) -> tuple[str, ...]:
    """Names of the ports for the board's lights."""
    return ("led_pass", "led_fail")[: len(board.leds)]


def tied_ports(board: Board) -> tuple[str, ...]:
    """Names of the ports for pins held at a level."""
    return tuple(f"tied_{n}" for n in range(len(board.tied)))
