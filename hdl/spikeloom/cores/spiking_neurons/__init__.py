"""Spiking neurons (`spiking_neurons`): leaky integrate-and-fire, binary or ternary."""

from .core import SpikingNeurons

__all__ = ["SpikingNeurons"]
