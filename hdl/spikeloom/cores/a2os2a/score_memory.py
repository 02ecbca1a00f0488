"""Scores of a query on their way from the score stage to the sums: a ring of lists."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...blocks.memory_attributes import NEVER_BOTH

LISTS = 3  # one grows, one is read, and one is on its way from the adders


class ScoreMemory(wiring.Component):
    """`LISTS` lists of up to `depth` entries: one grows while another is read, in any order.

    The writer reserves a list while `free`, appends to it and closes it, empty or not. The reader
    sees the oldest closed list while `full` and hands it back with `release`. Reads take one clock
    in which `r_en` is high.

    Parameters
    ----------
    depth : most entries of a list.
    shape : of an entry.

    Members
    -------
    free : Out(1), a list may be reserved; reserve : In(1), take it.
    append : In(1), entry : In(shape): one more entry.
    close : In(1), this clock's entry, if any, is the list's last; w_end : In(1), a mark it carries.
    idle : Out(1), no list is reserved or being read.
    full : Out(1), a list is there to read; count : Out(range(depth + 1)), its length;
        r_end : Out(1), its mark.
    r_addr : In(range(depth)), r_en : In(1), r_data : Out(shape).
    release : In(1), the list is no longer needed after this clock's read.
    """

    def __init__(self, depth, shape):
        self._depth = depth
        self._shape = shape
        super().__init__(
            {
                "free": Out(1),
                "reserve": In(1),
                "append": In(1),
                "entry": In(shape),
                "close": In(1),
                "w_end": In(1),
                "idle": Out(1),
                "full": Out(1),
                "count": Out(range(depth + 1)),
                "r_end": Out(1),
                "r_addr": In(range(depth)),
                "r_en": In(1),
                "r_data": Out(shape),
                "release": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        stride_bits = (self._depth - 1).bit_length()
        m.submodules.memory = memory = Memory(
            shape=self._shape, depth=4 << stride_bits, init=[], attrs=NEVER_BOTH
        )
        write = memory.write_port()
        read = memory.read_port()

        w_bank, r_bank = Signal(range(LISTS)), Signal(range(LISTS))
        length = Signal(range(self._depth + 1))
        lengths = Array(Signal.like(length, name=f"length_{n}") for n in range(LISTS))
        ends = Array(Signal(name=f"end_{n}") for n in range(LISTS))
        longer = Signal.like(length)
        m.d.comb += [
            longer.eq(length + self.append),
            write.addr.eq(Cat(length[:stride_bits], w_bank)),
            write.data.eq(self.entry),
            write.en.eq(self.append),
            read.addr.eq(Cat(self.r_addr, r_bank)),
            read.en.eq(self.r_en),
            self.r_data.eq(read.data),
            self.count.eq(lengths[r_bank]),
            self.r_end.eq(ends[r_bank]),
        ]
        with m.If(self.append):
            m.d.sync += length.eq(longer)
        with m.If(self.close):
            m.d.sync += [
                lengths[w_bank].eq(longer),
                ends[w_bank].eq(self.w_end),
                length.eq(0),
                w_bank.eq(_next(w_bank)),
            ]
        with m.If(self.release):
            m.d.sync += r_bank.eq(_next(r_bank))

        reserved, closed = Signal(range(LISTS + 1)), Signal(range(LISTS + 1))
        m.d.sync += [
            reserved.eq(reserved + self.reserve - self.release),
            closed.eq(closed + self.close - self.release),
        ]
        m.d.comb += [
            self.free.eq(reserved != LISTS),
            self.idle.eq(reserved == 0),
            self.full.eq(closed != 0),
        ]

        return m


def _next(bank):
    return Mux(bank == LISTS - 1, 0, bank + 1)
