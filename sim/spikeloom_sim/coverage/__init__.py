"""Coverage of cores by their tests: lines, branches and toggles of the Verilog, functional bins.

Verilator counts while two tests of a small configuration run, the testbench that `generate` writes
and the cocotb suite. What neither reaches is proved unreachable, explained, or missed.
"""

from .bins import Bin, with_bins
from .measure import Coverage, measure
from .points import KINDS, Point

__all__ = ["KINDS", "Bin", "Coverage", "Point", "measure", "with_bins"]
