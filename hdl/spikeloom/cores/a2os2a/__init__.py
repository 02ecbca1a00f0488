"""Accurate addition-only spiking attention (`a2os2a`): row sums instead of products."""

from .core import A2OS2A

__all__ = ["A2OS2A"]
