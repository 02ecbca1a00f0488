"""Stochastic spiking attention (`ssa`): attention by AND gates and random numbers."""

from .core import SSA

__all__ = ["SSA"]
