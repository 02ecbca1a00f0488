"""Stochastic spiking attention (`ssa`): attention by AND gates, counters and random numbers."""

from .ssa import SSA

__all__ = ["SSA"]
