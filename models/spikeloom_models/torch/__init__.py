"""PyTorch modules whose forward pass is the arithmetic of the hardware.

Each module begins in floating point, with batch normalisation, for training. `quantise` folds the
normalisation into integer weights, biases and thresholds; from then on the forward pass computes
the integers of the hardware exactly (float32 holds integers up to 2^24), and gradients pass through
the rounding, so that training can go on.
"""

# pyright: reportMissingImports=false

from .attention import (
    A2OS2AAttention,
    SpikeDrivenAttention,
    SpikformerAttention,
    SpikingAttention,
    StochasticAttention,
)
from .layers import Classifier, Iand, PatchEmbedding, SpikingLinear
from .neuron import LIF, ReLU, Ternary, spike
from .phase_coded import PhaseCodedAttention, PhaseEncoder
from .transformer import SpikingTransformer, TransformerShape
from .vit import VisionTransformer

__all__ = [
    "LIF",
    "A2OS2AAttention",
    "Classifier",
    "Iand",
    "PatchEmbedding",
    "PhaseCodedAttention",
    "PhaseEncoder",
    "ReLU",
    "SpikeDrivenAttention",
    "SpikformerAttention",
    "SpikingAttention",
    "SpikingLinear",
    "SpikingTransformer",
    "StochasticAttention",
    "Ternary",
    "TransformerShape",
    "VisionTransformer",
    "spike",
]
