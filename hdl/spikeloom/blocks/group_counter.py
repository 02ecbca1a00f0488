"""Counts items in groups of equal size, of which the last may be smaller."""

from __future__ import annotations

from amaranth.hdl import Module, Mux
from amaranth.lib.wiring import In, Out

from .component import Component


class GroupCounter(Component):
    """``for group in range(ceil(items / size)): for place in range(size or what is left): ...``

    Advances by one item in every cycle in which `step` is high, and wraps around after the last.

    Parameters
    ----------
    items : number of items, at least 1.
    size : items of a group, at least 1.

    Members
    -------
    step : In(1), advance.
    group : Out(range(groups)), place : Out(range(size)), position of the current item.
    place_last : Out(1), the item is the last of its group.
    last : Out(1), the item is the last of all.
    """

    def __init__(self, items: int, size: int) -> None:
        self._items = items
        self._size = size
        self._groups = -(-items // size)
        super().__init__(
            {
                "step": In(1),
                "group": Out(range(self._groups)),
                "place": Out(range(size)),
                "place_last": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        in_last_group = self._items - (self._groups - 1) * self._size
        m.d.comb += [
            self.last.eq((self.group == self._groups - 1) & (self.place == in_last_group - 1)),
            self.place_last.eq(self.last | (self.place == self._size - 1)),
        ]
        with m.If(self.step):
            m.d.sync += [
                self.place.eq(Mux(self.place_last, 0, self.place + 1)),
                self.group.eq(Mux(self.last, 0, self.group + self.place_last)),
            ]

        return m
