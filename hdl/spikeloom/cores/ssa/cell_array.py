"""The stochastic attention cells: counters whose carry out is the spike."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.popcount import Popcount, popcount_delay
from ...blocks.seeding import Seeding
from ...random.random_source import RandomSource


def cell_delay(width: int) -> int:
    """Cycles from the last products of a draw to its spikes: register, popcount, accumulator."""
    return popcount_delay(width) + 2


class CellArray(Component):
    """`cells` counters, each of which draws a spike with probability ``count / limit``.

    A cell counts the ones among its products over one or more cycles and compares the count with
    its own random number: ``spike = r < count``, `r` uniform over ``0..limit - 1``. The comparison
    needs no logic: the counter of w bits starts at ``2**w - 1 - r`` and the spike is its carry out.

    Parameters
    ----------
    cells : number of counters.
    width : products per cell per cycle.
    limit : largest count.
    strategy, stream : of the cells' `RandomSource`.

    Members
    -------
    seeding : In(Seeding()).
    i : In(cells * width), the products, cell by cell.
    i_valid, i_first, i_last : In(1), `i` is valid; it is the first, the last of a draw.
    o : Out(cells), spikes.
    o_valid : Out(1), high for one cycle, `delay` cycles after `i_last`.

    Source: SSA, arXiv 2402.09109, stochastic attention cell.
    """

    def __init__(self, cells: int, width: int, limit: int, *, strategy: str, stream: int) -> None:
        self._cells = cells
        self._width = width
        self._limit = limit
        self.delay = cell_delay(width)
        self._randomness = {"strategy": strategy, "stream": stream}
        super().__init__(
            {
                "seeding": In(Seeding()),
                "i": In(cells * width),
                "i_valid": In(1),
                "i_first": In(1),
                "i_last": In(1),
                "o": Out(cells),
                "o_valid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # Products and their tags are registered before and at every level of the popcount.
        products = Signal(len(self.i), reset_less=True)
        m.d.sync += products.eq(self.i)
        tag = Cat(self.i_valid, self.i_first, self.i_last)
        for n in range(popcount_delay(self._width) + 1):
            delayed = Signal(3, name=f"tag_{n}")
            m.d.sync += delayed.eq(tag)
            tag = delayed
        valid, first, last = tag

        m.submodules.source = source = RandomSource(self._cells, self._limit, **self._randomness)
        seeding = self.seeding
        wiring.connect(m, wiring.flipped(seeding), source.seeding)
        m.d.comb += source.step.eq(seeding.load | seeding.warm | (valid & first))

        carry = (self._limit - 1).bit_length()
        for n in range(self._cells):
            m.submodules[f"popcount_{n}"] = popcount = Popcount(self._width)
            m.d.comb += popcount.i.eq(products.word_select(n, self._width))

            counter = Signal(carry + 1, name=f"counter_{n}", reset_less=True)
            total = Signal(carry + 1, name=f"total_{n}")
            m.d.comb += total.eq(Mux(first, ~source.number(n), counter) + popcount.o)
            with m.If(valid):
                m.d.sync += counter.eq(total)
            m.d.sync += self.o[n].eq(total[carry])
        m.d.sync += self.o_valid.eq(valid & last)

        return m
