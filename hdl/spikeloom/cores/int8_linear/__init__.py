"""Linear layers of 8-bit integers (`int8_linear`): the baseline to compare networks of spikes with.

It has no spikes. It is what a designer without them would put on the same chip for the linear
layers of a transformer: multipliers (the FPGA's DSP blocks), and one rounding for each output.
"""

from .core import Int8Linear

__all__ = ["Int8Linear"]
