"""Spiking neurons over streams: potentials in, spikes out, the state in memory."""

from .relu_quantiser import ReLUQuantiser
from .spiking_neurons import SpikingNeurons

__all__ = ["ReLUQuantiser", "SpikingNeurons"]
