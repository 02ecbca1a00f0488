"""Configurations of the cores: plain dataclasses, free of Amaranth, shared by all packages."""

from .a2os2a import A2OS2AConfig
from .base import CoreConfig, read_settings
from .ssa import SSAConfig

__all__ = ["A2OS2AConfig", "CoreConfig", "SSAConfig", "read_settings"]
