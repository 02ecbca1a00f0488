"""Memory of several banks: one fills while another is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .bank_ring import BankRing
from .banks import BankReader, BankWriter
from .component import Component
from .memory_attributes import NO_READ_WRITE_COLLISION


class BankMemory(Component):
    """A ring of `banks`, each filled word by word by a writer, then read by a reader.

    Words are written and read in any order. Reads take one cycle. A bank closed in one cycle can be
    read in the next. With `behind`, the reader delays its addresses: `r.release` then belongs to
    the read of the cycle after it, so that the next bank is announced in time.

    Parameters
    ----------
    banks : banks in the ring, at least 2 to overlap filling and reading.
    depth : words per bank.
    granules : parts of a word, each with its own write enable.
    granule_bits : bits of each part.
    behind : whether reads follow `r.release` by one cycle.
    attrs : attributes for synthesis.

    Members
    -------
    w : In(BankWriter(range(depth), granules * granule_bits, granules)).
    r : In(BankReader(range(depth), granules * granule_bits)).
    w_bank, r_bank : Out(range(banks)), the banks being written and read, for a parallel memory.
    """

    def __init__(
        self,
        *,
        banks: int,
        depth: int,
        granules: int = 1,
        granule_bits: int,
        behind: bool = False,
        attrs: Mapping[str, Any] = NO_READ_WRITE_COLLISION,
    ) -> None:
        self._banks = banks
        self._behind = behind
        self._attrs = attrs
        self._depth = depth
        self._granule_bits = granule_bits
        word_bits = granules * granule_bits
        super().__init__(
            {
                "w": In(BankWriter(range(depth), word_bits, granules)),
                "r": In(BankReader(range(depth), word_bits)),
                "w_bank": Out(range(banks)),
                "r_bank": Out(range(banks)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        w, r = self.w, self.r

        # Each bank starts at a multiple of a power of two, so that addresses need no adder.
        stride = 1 << (self._depth - 1).bit_length()
        m.submodules.memory = memory = Memory(
            shape=len(w.data), depth=self._banks * stride, init=[], attrs=dict(self._attrs)
        )
        write = memory.write_port(granularity=self._granule_bits if len(w.en) > 1 else None)
        read = memory.read_port()

        released = r.release
        if self._behind:
            released = Signal()
            m.d.sync += released.eq(r.release)

        m.submodules.ring = ring = BankRing(self._banks)
        m.d.comb += [
            w.free.eq(ring.free),
            ring.reserve.eq(w.reserve),
            ring.close.eq(w.close),
            r.full.eq(ring.full),
            ring.claim.eq(r.release),
            ring.release.eq(released),
            self.w_bank.eq(ring.w_bank),
            self.r_bank.eq(ring.r_bank),
            write.addr.eq(Cat(w.addr, ring.w_bank)),
            write.data.eq(w.data),
            write.en.eq(w.en),
            read.addr.eq(Cat(r.addr, ring.r_bank)),
            r.data.eq(read.data),
        ]

        return m
