"""Configurations of the cores: plain dataclasses, free of Amaranth, shared by all packages."""

from .base import CoreConfig, read_settings
from .ssa import SSAConfig

__all__ = ["CoreConfig", "SSAConfig", "read_settings"]
