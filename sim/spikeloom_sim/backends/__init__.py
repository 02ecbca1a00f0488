"""Where a core can run: its golden model, its RTL in a simulator, its synthesised netlist."""

from .golden import run_golden
from .rtl import run_rtl

__all__ = ["run_golden", "run_rtl"]
