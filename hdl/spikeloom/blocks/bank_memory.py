"""Memory of several banks: one fills while another is read."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .bank_ring import BankRing
from .memory_attributes import NEVER_BOTH


class BankMemory(wiring.Component):
    """A ring of `banks`, each filled word by word by a writer, then read at will by a reader.

    The writer reserves a bank while `free` is high, writes it in any order and closes it with
    `w_close`. The reader sees the oldest closed bank while `full` is high and hands it back with
    `release`. Reads take one clock. A bank closed in one clock can be read in the next.

    Parameters
    ----------
    banks : banks in the ring, at least 2 to overlap filling and reading.
    depth : words per bank.
    granules : parts of a word with write enables of their own.
    granule_bits : bits of each part.

    Members
    -------
    free : Out(1), a bank may be reserved.
    reserve : In(1), take it.
    w_addr : In(range(depth)).
    w_en : In(granules).
    w_data : In(granules * granule_bits).
    w_close : In(1), this clock's write was the bank's last.
    full : Out(1), a bank is there to read.
    r_addr : In(range(depth)).
    r_data : Out(granules * granule_bits), the word at last clock's `r_addr`.
    release : In(1), the bank is no longer needed after this clock's read.
    w_bank, r_bank : Out(range(banks)), the banks written and read, for a memory beside this one.
    """

    def __init__(self, *, banks, depth, granules=1, granule_bits):
        self._banks = banks
        self._depth = depth
        self._granule_bits = granule_bits
        word_bits = granules * granule_bits
        super().__init__(
            {
                "free": Out(1),
                "reserve": In(1),
                "w_addr": In(range(depth)),
                "w_en": In(granules),
                "w_data": In(word_bits),
                "w_close": In(1),
                "full": Out(1),
                "r_addr": In(range(depth)),
                "r_data": Out(word_bits),
                "release": In(1),
                "w_bank": Out(range(banks)),
                "r_bank": Out(range(banks)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # Words of a bank start at a power of two, so that addresses need no adder.
        stride = 1 << (self._depth - 1).bit_length()
        m.submodules.memory = memory = Memory(
            shape=len(self.w_data), depth=self._banks * stride, init=[], attrs=NEVER_BOTH
        )
        write = memory.write_port(granularity=self._granule_bits if len(self.w_en) > 1 else None)
        read = memory.read_port()

        m.submodules.ring = ring = BankRing(self._banks)
        m.d.comb += [
            self.free.eq(ring.free),
            ring.reserve.eq(self.reserve),
            ring.close.eq(self.w_close),
            self.full.eq(ring.full),
            ring.claim.eq(self.release),
            ring.release.eq(self.release),
            self.w_bank.eq(ring.w_bank),
            self.r_bank.eq(ring.r_bank),
            write.addr.eq(Cat(self.w_addr, ring.w_bank)),
            write.data.eq(self.w_data),
            write.en.eq(self.w_en),
            read.addr.eq(Cat(self.r_addr, ring.r_bank)),
            self.r_data.eq(read.data),
        ]

        return m
