"""The ReLU neuron (`relu_quantiser`): unsigned numbers of few bits from signed ones of many."""

from .core import ReLUQuantiser

__all__ = ["ReLUQuantiser"]
