"""The kinds of layers. To add one, write its class and list it in `KINDS`."""

from .attention import Attention
from .classifier import Classifier
from .convolution import Convolution
from .layer import Layer
from .linear import Linear
from .neurons import Neurons
from .patch_embedding import PatchEmbedding
from .pooling import Pooling
from .residual import Residual

KINDS: dict[str, type[Layer]] = {
    kind.KIND: kind
    for kind in (
        PatchEmbedding,
        Convolution,
        Pooling,
        Linear,
        Neurons,
        Attention,
        Residual,
        Classifier,
    )
}

__all__ = [
    "KINDS",
    "Attention",
    "Classifier",
    "Convolution",
    "Layer",
    "Linear",
    "Neurons",
    "PatchEmbedding",
    "Pooling",
    "Residual",
]
