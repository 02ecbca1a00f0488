"""Simulation backends: the RTL of a core, and its synthesised netlist."""

from .rtl import RTL, Netlist

__all__ = ["RTL", "Netlist"]
