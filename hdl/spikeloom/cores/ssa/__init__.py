"""Stochastic spiking attention (`ssa`): attention by AND gates and random numbers."""

from .sampled import SampledSSA
from .ssa import SSA

__all__ = ["SSA", "SampledSSA", "build"]


def build(config):
    """The component of ``config.engine``."""
    return {"counter": SSA, "sampled": SampledSSA}[config.engine](config)
