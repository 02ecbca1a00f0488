"""Clock plans: the board's oscillator, an optional PLL, and a power-on reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Out

from spikeloom.blocks.component import Component
from spikeloom.errors import InputError

if TYPE_CHECKING:
    from spikeloom.families.family import Pll

    from .boards.board import Board


def plan_pll(board: Board, frequency: int) -> Pll | None:
    """Dividers of the board's PLL for exactly `frequency` Hz; None if it is the oscillator's.

    Raises `InputError`, with the nearest possible clock, if the PLL cannot generate it.
    """
    oscillator = board.oscillator
    if frequency == oscillator:
        return None
    find = board.family.pll
    pll = find(oscillator, frequency)
    if pll is None:
        nearest = nearest_clock(find, oscillator, frequency)
        raise InputError(
            f"{in_mhz(frequency)} MHz cannot be made from the board's {in_mhz(oscillator)} MHz "
            f"by its PLL; the nearest is --mhz {in_mhz(nearest)}"
        )
    return pll


def nearest_clock(find: Callable[[int, int], Any], f_in: int, f_out: int) -> int:
    """The whole number of Hz nearest to `f_out` for which ``find(f_in, ...)`` has dividers, or the
    oscillator itself."""
    multiples = {
        f_in * up // down
        for down in {divider << shift for divider in range(1, 129) for shift in range(7)}
        for up in range(1, 129)
        if f_in * up % down == 0
    }
    near = sorted(multiples, key=lambda hz: abs(hz - f_out))
    return next(hz for hz in near if hz == f_in or find(f_in, hz) is not None)


def in_mhz(hz: float) -> str:
    """`hz` in MHz, as for ``--mhz``: exact, without trailing zeros."""
    return f"{hz / 1e6:.12g}"


class ClockPlan(Component):
    """A clock of `frequency`, and a reset held for some time after configuration.

    Parameters
    ----------
    board : the board.
    frequency : clock in Hz; no PLL is used if it equals the oscillator's.

    Members
    -------
    clk, rst : Out(1), for a clock domain of the parent.

    Raises `InputError` if the PLL cannot generate the frequency.
    """

    def __init__(self, board: Board, frequency: int) -> None:
        self._board = board
        self._frequency = frequency
        self._pll = plan_pll(board, frequency)
        super().__init__({"clk": Out(1), "rst": Out(1)})

    def elaborate(self, platform):
        m = Module()

        port = platform.request(self._board.clock, dir="-")
        clk = Signal(name="clk_core", attrs={"keep": 1})
        locked = Signal(init=1)
        if self._pll is not None and self._board.pll_pad:
            m.submodules.pll = self._pll.instance(port.io, clk, locked, pad=True)
        else:
            m.submodules.buffer = buffer = io.Buffer(io.Direction.Input, port)
            if self._pll is None:
                m.d.comb += clk.eq(buffer.i)
            else:
                m.submodules.pll = self._pll.instance(buffer.i, clk, locked)
        platform.add_clock_constraint(clk, self._frequency)

        # Count cycles in a domain without reset until memories and PLL are ready.
        m.domains.por = ClockDomain(reset_less=True, local=True)
        ready = Signal()
        settled = Signal()
        clocks = int(self._board.family.RESET_SECONDS * self._frequency)
        waited = Signal(range(clocks + 1))
        m.submodules.lock_sync = FFSynchronizer(locked, settled, o_domain="por")
        m.d.comb += [
            ClockSignal("por").eq(clk),
            self.clk.eq(clk),
            self.rst.eq(~ready),
        ]
        with m.If(~settled):
            m.d.por += [waited.eq(0), ready.eq(0)]
        with m.Elif(waited == clocks):
            m.d.por += ready.eq(1)
        with m.Else():
            m.d.por += waited.eq(waited + 1)

        return m
