"""PyTorch modules whose forward pass is the arithmetic of the hardware.

Each module begins in floating point, with batch normalisation, for training. `quantise` folds the
normalisation into integer weights, biases and thresholds; from then on the forward pass computes
the integers of the hardware exactly (float32 holds integers up to 2^24), and gradients pass through
the rounding, so that training can go on.
"""

# pyright: reportMissingImports=false

from .layers import Classifier, Iand, PatchEmbedding, SpikformerAttention, SpikingLinear
from .neuron import LIF, spike
from .spikformer import Spikformer, SpikformerShape

__all__ = [
    "LIF",
    "Classifier",
    "Iand",
    "PatchEmbedding",
    "Spikformer",
    "SpikformerAttention",
    "SpikformerShape",
    "SpikingLinear",
    "spike",
]
