"""Scalar product of words of 8-bit integers, with the FPGA's DSP blocks."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, signed
from amaranth.lib.wiring import In, Out

from .adder_tree import AdderTree, adder_tree_delay
from .component import Component
from .logic_multiplier import LogicMultiplier
from .multiplier import Multiplier, MultiplierPair
from .pieces import pieces

BITS = 8  # of an operand


def dot_product_delay(lanes: int) -> int:
    """Cycles from the operands to `o` of a `DotProduct` of that many lanes."""
    return Multiplier.delay + adder_tree_delay(lanes)


class DotProduct(Component):
    """``o = sum_n a[n] b[n]`` of `lanes` signed 8-bit integers.

    One sum per cycle, `delay` cycles of latency. A product takes a DSP block, or half of one where
    a block has two (see `MultiplierPair`).

    Parameters
    ----------
    lanes : products, at least 1.
    logic_lanes : the first of them are made of LUTs, as many as this.

    Members
    -------
    a, b : In(8 * lanes), the concatenated operands.
    o : Out(as wide as the largest sum, signed).
    """

    def __init__(self, lanes: int, *, logic_lanes: int = 0) -> None:
        self._logic_lanes = logic_lanes
        self._tree = AdderTree(lanes, 2 * BITS, signed=True)
        self.delay = dot_product_delay(lanes)
        width = BITS * lanes
        super().__init__({"a": In(width), "b": In(width), "o": Out(self._tree.o.shape())})

    def elaborate(self, platform):
        m = Module()

        lanes = len(self.a) // BITS
        products = []
        while len(products) < lanes:
            lane = len(products)
            if lane < self._logic_lanes:
                multiplier = LogicMultiplier(BITS)
            elif lane + 1 < lanes:
                multiplier = MultiplierPair()
            else:
                multiplier = Multiplier(signed(BITS), signed(BITS))
            m.submodules[f"multiplier_{lane}"] = multiplier
            operands = slice(BITS * lane, BITS * lane + len(multiplier.a))
            m.d.comb += [multiplier.a.eq(self.a[operands]), multiplier.b.eq(self.b[operands])]
            products += pieces(multiplier.o, 2 * BITS)

        m.submodules.tree = tree = self._tree
        m.d.comb += [tree.i.eq(Cat(products)), tree.enable.eq(1), self.o.eq(tree.o)]

        return m
