"""What goes into the bitstream: clock plan, design, lights, serial line."""

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import io, wiring

from .clocking import ClockPlan


class BoardTop(wiring.Component):
    """A design on a board, with two of its outputs on the lights.

    Parameters
    ----------
    recipe : the board.
    design : component; if it has members `rx` and `tx`, they go to the board's serial line.
    lights : names of its outputs for the pass and the fail light.
    frequency : Hz of the design's clock.
    """

    def __init__(self, recipe, design, lights, frequency):
        self._recipe = recipe
        self._design = design
        self._lights = lights
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

        m.submodules.design = design = self._design
        for (resource, number), name in zip(recipe.leds, self._lights, strict=True):
            m.submodules[f"{resource}_{number}"] = light = io.Buffer(
                "o", platform.request(resource, number, dir="-")
            )
            held = Signal(name=f"{resource}_{number}_on")
            m.d.sync += held.eq(getattr(design, name))
            m.d.comb += light.o.eq(held)

        if "rx" in design.signature.members:
            pins = platform.request(*recipe.uart, dir="-")
            m.submodules.uart_rx = rx = io.Buffer("i", pins.rx)
            m.submodules.uart_tx = tx = io.Buffer("o", pins.tx)
            m.d.comb += [design.rx.eq(rx.i), tx.o.eq(design.tx)]

        return m
