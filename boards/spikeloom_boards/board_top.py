"""What goes into the bitstream: clock plan, self-test, lights."""

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import io, wiring

from .clocking import ClockPlan


class BoardTop(wiring.Component):
    """A self-test on a board, with its verdict on two lights.

    Parameters
    ----------
    recipe : the board.
    self_test : component with `passed` and `failed`.
    frequency : Hz of the core's clock.
    """

    def __init__(self, recipe, self_test, frequency):
        self._recipe = recipe
        self._self_test = self_test
        self._frequency = frequency
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        recipe = self._recipe

        m.domains.sync = ClockDomain()
        m.submodules.clock_plan = clocks = ClockPlan(
            recipe.device.family, recipe.clock, recipe.oscillator, self._frequency
        )
        m.d.comb += [ClockSignal().eq(clocks.clk), ResetSignal().eq(clocks.rst)]

        m.submodules.self_test = test = self._self_test
        for (resource, number), lit in zip(recipe.leds, (test.passed, test.failed), strict=True):
            m.submodules[f"{resource}_{number}"] = light = io.Buffer(
                "o", platform.request(resource, number, dir="-")
            )
            held = Signal(name=f"{resource}_{number}_on")
            m.d.sync += held.eq(lit)
            m.d.comb += light.o.eq(held)

        return m
