"""Board pins that every bitstream drives: lights and pins tied to a level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module, Signal
from amaranth.lib import io

from spikeloom.blocks.component import Component

if TYPE_CHECKING:
    from .boards.board import Board


class Lights(Component):
    """Drives the board's lights with `signals`, in order, one cycle later.

    If the board has fewer lights, the remaining signals are ignored.
    """

    def __init__(self, board: Board, signals: Any) -> None:
        self._lit = list(zip(range(len(board.leds)), signals, strict=False))
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        for number, lit in self._lit:
            m.submodules[f"light_{number}"] = light = io.Buffer(
                io.Direction.Output, platform.request("light", number, dir="-")
            )
            held = Signal(name=f"light_{number}_on")
            m.d.sync += held.eq(lit)
            m.d.comb += light.o.eq(held)
        return m


class TiedPins(Component):
    """Drives the pins in `board.tied` to their levels."""

    def __init__(self, board: Board) -> None:
        self._levels = board.tied.values()
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        for number, level in enumerate(self._levels):
            m.submodules[f"tied_{number}"] = tied = io.Buffer(
                io.Direction.Output, platform.request("tied", number, dir="-")
            )
            m.d.comb += tied.o.eq(level)
        return m
