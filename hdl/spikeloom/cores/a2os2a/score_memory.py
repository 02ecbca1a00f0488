"""Score memory between the score stage and the sums: a ring of lists, one per query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.banks import BankReader, BankWriter
from ...blocks.component import Component
from ...blocks.memory_attributes import NO_READ_WRITE_COLLISION

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike

LISTS = 3  # one is written, one is read, and one is in the adder pipeline


class ListWriter(BankWriter):
    """Appends an entry to a list with each `en`, then closes it; as seen by the writer.

    Members in addition to those of `BankWriter`
    --------------------------------------------
    end : Out(1), with `close`: a flag that is stored with the list.
    """

    def __init__(self, shape: ShapeLike) -> None:
        super().__init__(0, shape, end=Out(1))


class ListReader(BankReader):
    """Reads a list of up to `depth` entries, as seen by the reader.

    Members in addition to those of `BankReader`
    --------------------------------------------
    en : Out(1), read enable; while low, `data` is stable.
    count : In(range(depth + 1)), entries of the list.
    end : In(1), the flag stored with the list.
    """

    def __init__(self, depth: int, shape: ShapeLike) -> None:
        super().__init__(range(depth), shape, en=Out(1), count=In(range(depth + 1)), end=In(1))


class ScoreMemory(Component):
    """`LISTS` lists of up to `depth` entries: one is written while another is read, in any order.

    Reads take one cycle.

    Parameters
    ----------
    depth : maximum number of entries of a list.
    shape : shape of an entry.

    Members
    -------
    w : In(ListWriter(shape)).
    r : In(ListReader(depth, shape)).
    idle : Out(1), no list is reserved or being read.
    """

    def __init__(self, depth: int, shape: ShapeLike) -> None:
        self._depth = depth
        self._shape = shape
        super().__init__(
            {
                "w": In(ListWriter(shape)),
                "r": In(ListReader(depth, shape)),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        w, r = self.w, self.r

        stride_bits = (self._depth - 1).bit_length()
        m.submodules.memory = memory = Memory(
            shape=self._shape, depth=4 << stride_bits, init=[], attrs=NO_READ_WRITE_COLLISION
        )
        write = memory.write_port()
        read = memory.read_port()

        w_bank, r_bank = Signal(range(LISTS)), Signal(range(LISTS))
        length = Signal(range(self._depth + 1))
        lengths = Array(Signal.like(length, name=f"length_{n}") for n in range(LISTS))
        ends = Array(Signal(name=f"end_{n}") for n in range(LISTS))
        longer = Signal.like(length)
        m.d.comb += [
            longer.eq(length + w.en),
            write.addr.eq(Cat(length[:stride_bits], w_bank)),
            write.data.eq(w.data),
            write.en.eq(w.en),
            read.addr.eq(Cat(r.addr, r_bank)),
            read.en.eq(r.en),
            r.data.eq(read.data),
            r.count.eq(lengths[r_bank]),
            r.end.eq(ends[r_bank]),
        ]
        with m.If(w.en):
            m.d.sync += length.eq(longer)
        with m.If(w.close):
            m.d.sync += [
                lengths[w_bank].eq(longer),
                ends[w_bank].eq(w.end),
                length.eq(0),
                w_bank.eq(_next(w_bank)),
            ]
        with m.If(r.release):
            m.d.sync += r_bank.eq(_next(r_bank))

        # The operands' ready depends on the lists reserved, so both comparisons are registers.
        reserved, closed = Signal(range(LISTS + 1)), Signal(range(LISTS + 1))
        reserved_next = Signal.like(reserved)
        free = Signal(init=1)
        idle = Signal(init=1)
        m.d.comb += reserved_next.eq(reserved + w.reserve - r.release)
        m.d.sync += [
            reserved.eq(reserved_next),
            free.eq(reserved_next != LISTS),
            idle.eq(reserved_next == 0),
            closed.eq(closed + w.close - r.release),
        ]
        m.d.comb += [
            w.free.eq(free),
            self.idle.eq(idle),
            r.full.eq(closed != 0),
        ]

        return m


def _next(bank):
    return Mux(bank == LISTS - 1, 0, bank + 1)
