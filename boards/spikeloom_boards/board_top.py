"""What goes into the bitstream: clock plan, self-test, lights."""

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal
from amaranth.lib import wiring

from .board_pins import Lights, TiedPins
from .clocking import ClockPlan


class BoardTop(wiring.Component):
    """A self-test on a board, with its verdict on the board's lights.

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
        m.submodules.clock_plan = clocks = ClockPlan(recipe, self._frequency)
        m.d.comb += [ClockSignal().eq(clocks.clk), ResetSignal().eq(clocks.rst)]

        m.submodules.self_test = test = self._self_test
        m.submodules.lights = Lights(recipe, (test.passed, test.failed))
        m.submodules.tied_pins = TiedPins(recipe)

        return m
