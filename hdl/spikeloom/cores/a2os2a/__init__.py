"""Accurate addition-only spiking attention (`a2os2a`): row sums instead of products."""

from .a2os2a import A2OS2A
from .block import A2OS2ABlock

__all__ = ["A2OS2A", "A2OS2ABlock"]
