"""Boards, builds, self-tests and the host driver for Spikeloom cores."""

from .driver import Device

__all__ = ["Device"]
