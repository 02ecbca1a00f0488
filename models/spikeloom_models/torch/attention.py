"""Attention of spikes, as modules that fit into any network."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math

import torch
from torch import nn

from .neuron import LIF


class SpikingAttention(nn.Module):
    """Attention of spikes q, k and v, ``[T, B, H, N, D]`` each, and neurons of its sums.

    The scale of the sums is in the threshold, which is learnt; `quantise` makes it even.

    Class members
    -------------
    FORM : the name of the form in a network file.
    THRESHOLD : where the threshold begins.
    """

    FORM: str
    THRESHOLD: float

    threshold: torch.Tensor

    def __init__(self, *, threshold: float | None = None, leak: int = 1):
        super().__init__()
        begin = self.THRESHOLD if threshold is None else threshold
        self.log_threshold = nn.Parameter(torch.tensor(math.log(begin)))
        self.neuron = LIF(leak)
        self.register_buffer("threshold", torch.tensor(0.0))

    def fire(self, sums: torch.Tensor) -> torch.Tensor:
        """Spikes for the `sums` of every step."""
        if self._is_integer:
            return self.neuron(sums, self.threshold, True)
        return self.neuron(sums * (-self.log_threshold).exp())

    @torch.no_grad()
    def quantise(self) -> None:
        """Round the threshold to an even number."""
        self.threshold.copy_((self.log_threshold.exp() / 2).round().clamp(min=1) * 2)
        self._is_integer = True

    @torch.no_grad()
    def unround(self) -> None:
        """Go back to floating point, with the threshold of the quantised layer."""
        self.log_threshold.copy_(self.threshold.log())
        self.threshold.zero_()
        self._is_integer = False

    _is_integer = False

    def _load_from_state_dict(self, *arguments):
        super()._load_from_state_dict(*arguments)
        self._is_integer = bool(self.threshold > 0)


class SpikformerAttention(SpikingAttention):
    """Spikformer's attention, Q (K^T V).

    Source: Zhou et al., "Spikformer: When Spiking Neural Network Meets Transformer", ICLR 2023.
    """

    FORM = "spikformer"
    THRESHOLD = 24.0

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return self.fire(torch.matmul(q, torch.matmul(k.transpose(-1, -2), v)))


class A2OS2AAttention(SpikformerAttention):
    """The same product of spikes q, integers k (`ReLU`) and ternary spikes v (`Ternary`).

    Source: Guo et al., "Spiking Transformer: Introducing Accurate Addition-Only Spiking
    Self-Attention for Transformer", CVPR 2025.
    """

    FORM = "a2os2a"
    THRESHOLD = 48.0


class SpikeDrivenAttention(SpikingAttention):
    """Spike-driven attention: one neuron for each dimension, which all tokens share, sums where k
    and v both spike, and lets q pass.

    Source: Yao et al., "Spike-driven Transformer", NeurIPS 2023.
    """

    FORM = "spike-driven"
    THRESHOLD = 2.0

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return q * self.fire((k * v).sum(-2, keepdim=True))
