"""Verilator's kept objects serve every design, whatever was compiled first."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikeloom.cores.ssa import SSA
from spikeloom.export.verilog import component_to_verilog
from spikeloom_sim.regression import run_suite
from spikeloom_sim.simulators import SIMULATORS


class Blinker(wiring.Component):
    """A design with as few ports as can be."""

    led: Out(1)
    button: In(1)

    def elaborate(self, platform):
        m = Module()
        count = Signal(4)
        m.d.sync += count.eq(count + self.button)
        m.d.comb += self.led.eq(count[-1])
        return m


@pytest.mark.slow
def test_a_wide_design_after_a_narrow_one(tmp_path, monkeypatch):
    """The main program's object depends on the ports, so it must not be taken from the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    narrow = component_to_verilog(Blinker(), "blinker")
    (tmp_path / "blinker.v").write_text(narrow.text)
    SIMULATORS["verilator"].build([tmp_path / "blinker.v"], "blinker", narrow.ports, tmp_path)
    assert list((tmp_path / "cache").rglob("verilated.o"))
    config = SSA(tokens=1, head_dim=1, steps=1, cells=1, bits=1)
    assert run_suite(config, simulator="verilator").failures == 0
