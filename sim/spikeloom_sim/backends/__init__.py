"""Where a core can run on this machine: its RTL in a simulator, its synthesised netlist."""

from .rtl import RTL, Netlist

__all__ = ["RTL", "Netlist"]
