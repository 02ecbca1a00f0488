"""Top module of a bitstream: clock plan, design, lights, serial line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal
from amaranth.lib import io

from spikeloom.blocks.component import Component

from .board_pins import Lights, TiedPins
from .clocking import ClockPlan

if TYPE_CHECKING:
    from .boards.board import Board


class BoardTop(Component):
    """A design on a board, with two of its outputs on the lights.

    Parameters
    ----------
    board : the board.
    design : component; if it has members `rx` and `tx`, they go to the board's serial line, and
        `cs`, `sck`, `copi` and `cipo` to its flash memory.
    lights : names of its outputs for the pass and the fail light.
    frequency : Hz of the design's clock.
    """

    def __init__(self, board: Board, design: Any, lights: Sequence[str], frequency: int) -> None:
        self._board = board
        self._design = design
        self._lights = lights
        self._frequency = frequency
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        board = self._board

        m.domains.sync = ClockDomain()
        m.submodules.clock_plan = clocks = ClockPlan(board, self._frequency)
        m.d.comb += [ClockSignal().eq(clocks.clk), ResetSignal().eq(clocks.rst)]

        m.submodules.design = design = self._design
        serial = "rx" in design.signature.members
        if serial:
            pins = platform.request("serial", 0, dir={"rx": "-", "tx": "-"})
            m.submodules.uart_rx = rx = io.Buffer(io.Direction.Input, pins.rx)
            m.submodules.uart_tx = tx = io.Buffer(io.Direction.Output, pins.tx)
            m.d.comb += [design.rx.eq(rx.i), tx.o.eq(design.tx)]
        if "cs" in design.signature.members:
            self._connect_flash(m, platform, design)
        if not (serial and board.uart.on_light):
            shown = [getattr(design, name) for name in self._lights]
            m.submodules.lights = Lights(board, shown)
        m.submodules.tied_pins = TiedPins(board)

        return m

    def _connect_flash(self, m, platform, design):
        """One line each way. The other pins of the memory, if the board has them, are inactive."""
        names = [line.name for line in platform.lookup("spi_flash_1x", 0).ios]
        pins = platform.request("spi_flash_1x", 0, dir=dict.fromkeys(names, "-"))
        m.submodules.flash_in = cipo = io.Buffer(io.Direction.Input, pins.cipo)
        m.d.comb += design.cipo.eq(cipo.i)
        driven = {"cs": design.cs, "clk": design.sck, "copi": design.copi, "wp": 0, "hold": 0}
        for name, value in driven.items():
            if name in names:
                buffer = io.Buffer(io.Direction.Output, getattr(pins, name))
                m.submodules[f"flash_{name}"] = buffer
                m.d.comb += buffer.o.eq(value)
