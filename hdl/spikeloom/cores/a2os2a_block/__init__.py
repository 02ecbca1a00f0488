"""`a2os2a` with its neurons (`a2os2a_block`): pre-activations in, spikes out."""

from .core import A2OS2ABlock

__all__ = ["A2OS2ABlock"]
