"""Softmax attention of 8-bit integers (`int8_softmax`): the baseline to compare the others with.

It has no spikes. It is what a designer without them would put on the same chip: multipliers (the
FPGA's DSP blocks), an exponential from a table, one exact division for each output. The same
streams, tests and bench as for the spiking cores show what spikes save, and what they do not.
"""

from .core import Int8Softmax

__all__ = ["Int8Softmax"]
