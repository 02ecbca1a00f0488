"""A linear-feedback shift register (`lfsr`): windows of a maximal-length bit sequence."""

from .core import LFSRUnit

__all__ = ["LFSRUnit"]
