"""Tracks which bank of a memory is written, which is read, and whether either is available."""

from __future__ import annotations

from amaranth.hdl import C, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from .component import Component


class BankRing(Component):
    """A ring of `banks`, each filled by a writer, then read by a reader.

    The writer reserves a bank while `free` is high and closes it when it is filled. The reader
    claims the oldest closed bank while `full` is high, reads `r_bank` and releases it. A reader may
    claim and release a bank in the same cycle.

    Members
    -------
    free : Out(1), a bank is available to the writer.
    reserve : In(1), the writer takes a bank.
    close : In(1), bank `w_bank` is filled.
    w_bank : Out(range(banks)), the bank to write.
    full : Out(1), a closed bank is available to the reader.
    claim : In(1), the reader takes the oldest closed bank.
    release : In(1), the reader has finished with bank `r_bank`.
    r_bank : Out(range(banks)), the bank to read.
    """

    def __init__(self, banks: int) -> None:
        self._banks = banks
        super().__init__(
            {
                "free": Out(1),
                "reserve": In(1),
                "close": In(1),
                "w_bank": Out(range(banks)),
                "full": Out(1),
                "claim": In(1),
                "release": In(1),
                "r_bank": Out(range(banks)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        for bank, moves in ((self.w_bank, self.close), (self.r_bank, self.release)):
            with m.If(moves):
                m.d.sync += bank.eq(Mux(bank == self._banks - 1, 0, bank + 1))

        # Whether the last free bank is taken, and whether closed ones are left: of a single bank,
        # always and never.
        last_free, others_closed = C(1), C(0)
        if self._banks > 1:
            reserved = Signal(range(self._banks + 1))
            closed = Signal(range(self._banks + 1))
            m.d.sync += [
                reserved.eq(reserved + self.reserve - self.release),
                closed.eq(closed + self.close - self.claim),
            ]
            last_free, others_closed = reserved == self._banks - 1, closed != 1

        # Registers, because the writer and the reader decide with them whether they proceed.
        all_reserved = Signal()
        with m.If(self.reserve != self.release):
            m.d.sync += all_reserved.eq(self.reserve & last_free)
        with m.If(self.close != self.claim):
            m.d.sync += self.full.eq(self.close | others_closed)
        m.d.comb += self.free.eq(~all_reserved)

        return m
