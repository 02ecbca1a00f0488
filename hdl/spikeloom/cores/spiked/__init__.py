"""SpikedAttention (`spiked`): softmax attention of one-spike codes, with additions only."""

from .spiked import Spiked

__all__ = ["Spiked"]
