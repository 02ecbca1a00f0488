"""The kinds of layers. To add one, write its class and list it in `KINDS`."""

from .attention import Attention
from .classifier import Classifier
from .layer import Layer
from .linear import Linear
from .patch_embedding import PatchEmbedding
from .residual import Residual

KINDS: dict[str, type[Layer]] = {
    kind.KIND: kind for kind in (PatchEmbedding, Linear, Attention, Residual, Classifier)
}

__all__ = ["KINDS", "Attention", "Classifier", "Layer", "Linear", "PatchEmbedding", "Residual"]
