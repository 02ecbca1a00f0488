"""SpikedAttention (`spiked`): softmax attention of one-spike codes with additions only."""

from .core import Spiked

__all__ = ["Spiked"]
