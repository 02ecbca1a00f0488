"""Registers in the Verilog begin with their own initial values."""

import re

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from spikeloom.blocks.component import Component
from spikeloom.export.verilog import component_to_verilog


class Aliased(Component):
    """Registers that drive a port each, which the export removes, before one with another value."""

    def __init__(self):
        super().__init__({"step": In(1), "free": Out(1), "idle": Out(1), "full": Out(1)})

    def elaborate(self, platform):
        m = Module()
        free, idle, closed = Signal(init=1), Signal(init=1, name="idle"), Signal(2)
        m.d.sync += [free.eq(self.step), idle.eq(~self.step), closed.eq(closed + self.step)]
        m.d.comb += [self.free.eq(free), self.idle.eq(idle), self.full.eq(closed != 0)]
        return m


def test_a_removed_wire_takes_its_initial_value_along():
    text = component_to_verilog(Aliased(), "aliased").text
    found = dict(re.findall(r"initial (\w+) = (\S+);", text))
    assert found == {"free": "1'h1", "idle": "1'h1", "closed": "2'h0"}
