"""A self-test for users of plain Verilog: clock in, two lights out."""

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

RESET_CLOCKS = 1024  # longer than block RAM takes after configuration, at any board's clock


class RawTop(wiring.Component):
    """A self-test with a reset of its own, at the clock of the board.

    Members
    -------
    board_clk : In(1), the board's oscillator.
    led_pass, led_fail : Out(1), the verdict.

    Parameters
    ----------
    self_test : component with `passed` and `failed`.
    inverted : for each of the two lights, whether a low level lights it.
    """

    board_clk: In(1)
    led_pass: Out(1)
    led_fail: Out(1)

    def __init__(self, self_test, inverted):
        self._self_test = self_test
        self._inverted = inverted
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        m.domains += [ClockDomain("por", reset_less=True, local=True), ClockDomain("sync")]
        waited = Signal(range(RESET_CLOCKS))
        ready = Signal()
        m.d.por += ready.eq(ready | (waited == RESET_CLOCKS - 1))
        m.d.por += waited.eq(waited + 1)
        m.d.comb += [
            ClockSignal("por").eq(self.board_clk),
            ClockSignal("sync").eq(self.board_clk),
            ResetSignal("sync").eq(~ready),
        ]

        m.submodules.self_test = test = self._self_test
        lit = (test.passed, test.failed)
        for light, on, low in zip((self.led_pass, self.led_fail), lit, self._inverted, strict=True):
            m.d.sync += light.eq(~on if low else on)

        return m
