"""`BankMemory`: the ring of banks under its protocol."""

from amaranth.hdl import Assert, Assume, Cover, Signal

from spikeloom.blocks.bank_memory import BankMemory

from .harness import Harness


class BankMemoryContract(Harness):
    """0 <= closed <= reserved <= banks, `free` and `full` say so, and no write meets a read.

    The protocol: reserve while `free`; write and close only what is reserved (or is being so);
    release while `full`. For "prove", any number of clocks.

    Parameters
    ----------
    banks, depth : of the `BankMemory`.
    """

    def __init__(self, *, banks, depth):
        self._banks = banks
        super().__init__(BankMemory(banks=banks, depth=depth, granule_bits=1))

    def check(self, m):
        dut, banks = self.dut, self._banks
        # One wider than needed: a count that leaves its range is seen, not wrapped.
        reserved = Signal(range(-1, banks + 2))
        closed = Signal(range(-1, banks + 2))
        m.d.sync += [
            reserved.eq(reserved + dut.w.reserve - dut.r.release),
            closed.eq(closed + dut.w.close - dut.r.release),
        ]
        m.d.comb += [
            Assume(~dut.w.reserve | dut.w.free),
            Assume(~dut.r.release | dut.r.full),
            Assume(~(dut.w.close | dut.w.en.any()) | dut.w.reserve | (closed < reserved)),
            Assert((closed >= 0) & (closed <= reserved) & (reserved <= banks)),
            Assert(dut.w.free == (reserved < banks)),
            Assert(dut.r.full == (closed > 0)),
            Cover((closed == banks) & dut.r.release),
        ]

        # The writer's bank is as far ahead of the reader's as there are closed ones.
        written, read = self.inside("ring.w_bank"), self.inside("ring.r_bank")
        ahead = written - read
        m.d.comb += [
            Assert(self.inside("ring.reserved") == reserved),
            Assert(self.inside("ring.closed") == closed),
            Assert((written < banks) & (read < banks)),
            Assert((ahead == closed) | (ahead == closed - banks)),
            Assert(~(dut.w.en.any() & dut.r.full) | (written != read)),
        ]
