"""Adapters: between a user's tensors and a core's streams. One per core, found by its name."""

from importlib import import_module


def adapter(core):
    """The adapter module of `core`; see `spikeloom_sim.adapters.ssa` for what it offers."""
    return import_module(f"spikeloom_sim.adapters.{core}")
