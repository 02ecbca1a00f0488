"""Linear-feedback shift register that advances by several bits per cycle."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from .taps import TAPS


class LFSR(Component):
    """A window of a maximal-length bit sequence, which advances by `leap` bits per step.

    The register holds ``width`` consecutive bits of the sequence
    ``s[n + width] = XOR of s[n + t] for t in TAPS[width]``, oldest bit first, so a step computes
    the next `leap` bits at once. The zero state cannot occur: bit 0 of a loaded seed is set to 1,
    and no other state leads to zero.

    One LUT level per step for ``leap <= width - max(TAPS[width])``, more beyond that.

    Parameters
    ----------
    width : bits of state, 3..64.
    leap : bits per step, 1..width. If `leap` and ``2**width - 1`` are coprime, the register passes
        through all ``2**width - 1`` states.

    Members
    -------
    step : In(1), advance by `leap` bits.
    load : In(1), with `step`: load `seed` instead.
    seed : In(width), the state to load; bit 0 is forced to 1.
    o : Out(width), the window; its last `leap` bits are new after each step.

    Raises `ValueError` for a width or leap outside its range.
    """

    def __init__(self, width: int, leap: int = 1) -> None:
        if width not in TAPS:
            raise ValueError(f"LFSR width must be in 3..64, not {width!r}")
        if leap not in range(1, width + 1):
            raise ValueError(f"LFSR leap must be in 1..{width}, not {leap!r}")
        self._width = width
        self._leap = leap
        super().__init__({"load": In(1), "seed": In(width), "step": In(1), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()

        state = Signal(self._width, init=1)
        window: list[Value] = list(state)
        for n in range(self._leap):
            bit: Value = Const(0)
            for tap in TAPS[self._width]:
                bit ^= window[n + tap]
            window.append(bit)

        with m.If(self.step):
            m.d.sync += state.eq(Mux(self.load, self.seed | 1, Cat(*window[self._leap :])))
        m.d.comb += self.o.eq(state)

        return m
