"""The phase encoder (`phase_encoder`): each sum becomes one spike, the earlier the larger it is."""

from .core import PhaseEncoderUnit

__all__ = ["PhaseEncoderUnit"]
