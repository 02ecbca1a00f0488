"""Attention of spikes, as modules that fit into any network."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math

import torch
from torch import nn

from spikeloom.networks.layers.stochastic import head_core, sampled_places

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


class StochasticAttention(nn.Module):
    """Stochastic spiking attention of spikes q, k and v, ``[T, B, H, N, D]`` each: an output spikes
    with probability

        1 / (D N) sum over j and c of q[t, i, c] k[t, j, c] v[t, j, d]

    In training each output is drawn anew, and the gradient is that of the probability. In
    evaluation the draws are those of the golden model for `seed`, which differs from layer to
    layer.

    Source: Song et al., "Stochastic Spiking Attention", AICAS 2024.
    """

    FORM = "ssa"

    def __init__(self, *, seed: int = 1):
        super().__init__()
        self.seed = seed

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return self._sampled(q, k, v)
        tokens, dims = q.shape[-2:]
        likely = torch.matmul(q, torch.matmul(k.transpose(-1, -2), v)) / (dims * tokens)
        drawn = torch.bernoulli(likely.detach().clamp(0, 1))
        return likely + (drawn - likely).detach()

    def _sampled(self, q, k, v):
        steps, _, heads, tokens, dims = q.shape
        values = v.shape[-1]
        step = torch.arange(steps)[:, None, None]
        query, dim = torch.arange(tokens)[:, None], torch.arange(values)
        out = []
        for head in range(heads):
            places = sampled_places(head_core(self.seed, head, steps, tokens, dims, values))
            c, j = (torch.from_numpy(place) for place in places)
            found = [(q, query, c), (k, j, c), (v, j, dim)]
            q_h, k_h, v_h = (x[step, :, head, row, column] for x, row, column in found)
            out.append((q_h * k_h * v_h).permute(0, 3, 1, 2))  # from [T, N, Dv, B]
        return torch.stack(out, 2)

    def extra_repr(self) -> str:
        return f"seed={self.seed}"
