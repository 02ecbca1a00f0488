"""A linear-feedback shift register (`lfsr`): windows on a maximal-length bit sequence."""

from .core import LFSRUnit

__all__ = ["LFSRUnit"]
