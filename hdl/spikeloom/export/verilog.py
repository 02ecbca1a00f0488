"""Verilog of a configured core, and what its ports are."""

from dataclasses import dataclass

from amaranth.back import verilog
from amaranth.hdl import Value
from amaranth.lib.wiring import In

from ..catalog import CORES
from ..tools import export_to_amaranth
from .axi_top import AxiTop
from .plain_names import plain_names


def module_name(config):
    """Name of the generated top module."""
    return f"spikeloom_{config.core}"


@dataclass(frozen=True)
class VerilogModule:
    """A generated module: its name, source text and ports (name, "input" or "output", width)."""

    name: str
    text: str
    ports: tuple

    @property
    def flags(self):
        """Names of the core's flags: every output beside busy, done and streams."""
        return [
            name
            for name, flow, _ in self.ports
            if flow == "output" and name not in ("busy", "done") and "_axis_" not in name
        ]


def to_verilog(config):
    """The core as a `VerilogModule` with AXI4-Stream ports; the same text for the same `config`.

    Ports are ``clk``, ``rst`` (synchronous, active high) and those of `AxiTop`.
    """
    return component_to_verilog(AxiTop(CORES[config.core].build(config)), module_name(config))


def component_to_verilog(component, name):
    """Any component as the `VerilogModule` called `name`."""
    export_to_amaranth()
    ports = [("clk", "input", 1), ("rst", "input", 1)]
    for path, member, value in component.signature.flatten(component):
        flow = "input" if member.flow == In else "output"
        ports.append(("__".join(map(str, path)), flow, len(Value.cast(value))))
    text = verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
    return VerilogModule(name, plain_names(text), tuple(ports))
