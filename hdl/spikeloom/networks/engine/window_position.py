"""Which places of windows are outside of the grid."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from .table import POSITIONS


class WindowPosition(Component):
    """Follows the place that is read, while the loops of `RowReader` go through windows.

    Rows and columns are unsigned numbers of `bits` bits: those in front of the grid wrap around to
    numbers behind it.

    Parameters
    ----------
    bits : of a row or column.
    across_bits : of the number of windows in a row, less 1.

    Members
    -------
    go : In(1), begin an operation. across : In(across_bits), less 1, and x_first, x_stride, x_size,
        y_first, y_stride, y_size : In(bits) are its fields, see `Operation`.
    place : In(1), go on to the next place: of the window or, after the last one, of the window
        again. line, window, token : In(1), likewise; it is the last one of a line, of the window,
        or of the last row of the token.
    down : Out(1), the window is the last one of a row.
    outside : Out(1), the place is not in the grid.
    """

    def __init__(self, bits: int, across_bits: int) -> None:
        super().__init__(
            {
                **{name: In(1) for name in ("go", "place", "line", "window", "token")},
                **{name: In(bits) for name in POSITIONS},
                "across": In(across_bits),
                "down": Out(1),
                "outside": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # The place, and the first one of this window and of the next one.
        x, y, left, top, next_left, next_top = (
            Signal.like(self.x_size, name=name, reset_less=True)
            for name in ("x", "y", "left", "top", "next_left", "next_top")
        )
        across = Signal.like(self.across, name="across_left", reset_less=True)
        m.d.comb += [
            self.down.eq(across == 0),
            self.outside.eq((x >= self.x_size) | (y >= self.y_size)),
            next_left.eq(Mux(self.down, self.x_first, left + self.x_stride)),
            next_top.eq(Mux(self.down, top + self.y_stride, top)),
        ]
        with m.If(self.place):
            m.d.sync += x.eq(x + 1)
        with m.If(self.line):
            m.d.sync += [x.eq(left), y.eq(y + 1)]
        with m.If(self.window):
            m.d.sync += y.eq(top)
        with m.If(self.token):
            m.d.sync += [
                x.eq(next_left),
                left.eq(next_left),
                y.eq(next_top),
                top.eq(next_top),
                across.eq(Mux(self.down, self.across, across - 1)),
            ]
        with m.If(self.go):
            m.d.sync += [
                x.eq(self.x_first),
                left.eq(self.x_first),
                y.eq(self.y_first),
                top.eq(self.y_first),
                across.eq(self.across),
            ]

        return m
