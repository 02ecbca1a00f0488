"""Configurations of the cores: plain dataclasses, free of Amaranth, shared by all packages."""

from .a2os2a import A2OS2AConfig
from .a2os2a_block import A2OS2ABlockConfig
from .base import CoreConfig, read_settings
from .neuron import NeuronConfig
from .spiked import SpikedConfig
from .ssa import SSAConfig

__all__ = [
    "A2OS2ABlockConfig",
    "A2OS2AConfig",
    "CoreConfig",
    "NeuronConfig",
    "SSAConfig",
    "SpikedConfig",
    "read_settings",
]
