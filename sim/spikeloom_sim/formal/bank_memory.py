"""`BankMemory`: properties of the ring of banks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Signal

from spikeloom.blocks.bank_memory import BankMemory

from .harness import Harness
from .properties import assume, cover, prove

if TYPE_CHECKING:
    from amaranth.hdl import Module


class BankMemoryContract(Harness):
    """0 <= closed <= reserved <= banks, `free` and `full` match, and no bank is written and read.

    Protocol: reserve only while `free`; write and close only banks that are reserved, at the
    earliest in the same cycle; release only while `full`. Use mode "prove" (unbounded).

    Parameters
    ----------
    banks, depth, behind : of the `BankMemory`.
    """

    def __init__(self, *, banks: int, depth: int, behind: bool = False) -> None:
        self._banks = banks
        self._behind = behind
        super().__init__(BankMemory(banks=banks, depth=depth, granule_bits=1, behind=behind))

    def check(self, m: Module) -> None:
        dut, banks = self.dut, self._banks
        # One value wider on each side, so that an overflow is detected and does not wrap.
        reserved = Signal(range(-1, banks + 2))
        closed = Signal(range(-1, banks + 2))
        # The bank itself is released later if reads are behind.
        released = dut.r.release
        if self._behind:
            released = Signal()
            m.d.sync += released.eq(dut.r.release)
        late = released if self._behind else 0
        m.d.sync += [
            reserved.eq(reserved + dut.w.reserve - released),
            closed.eq(closed + dut.w.close - dut.r.release),
        ]
        m.d.comb += [
            assume(~dut.w.reserve | dut.w.free),
            assume(~dut.r.release | dut.r.full),
            assume(~(dut.w.close | dut.w.en.any()) | dut.w.reserve | (closed + late < reserved)),
            prove((closed >= 0) & (closed + late <= reserved) & (reserved <= banks)),
            prove(dut.w.free == (reserved < banks)),
            prove(dut.r.full == (closed > 0)),
            cover((closed == banks) & dut.r.release),
        ]

        # The writer's bank is ahead of the reader's by the number of closed banks, and by the one
        # that is released late.
        written, read = self.inside("ring.w_bank"), self.inside("ring.r_bank")
        ahead, unread = written - read, closed + late
        m.d.comb += [
            prove(self.inside("ring.reserved") == reserved),
            prove(self.inside("ring.closed") == closed),
            prove((written < banks) & (read < banks)),
            prove((ahead == unread) | (ahead == unread - banks)),
            prove(~(dut.w.en.any() & (unread > 0)) | (written != read)),
        ]
