"""Configurations of the cores: plain dataclasses, free of Amaranth, shared by all packages."""

from .base import CoreConfig, read_settings
from .spiked import SpikedConfig
from .ssa import SSAConfig

__all__ = ["CoreConfig", "SSAConfig", "SpikedConfig", "read_settings"]
