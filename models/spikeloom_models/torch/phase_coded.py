"""One-spike phase codes, and attention of them, as modules."""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from spikeloom.networks.layers.phase_coded import checked_scales, head_core, run_heads


class PhaseEncoder(nn.Module):
    """Real values as phase codes: spikes ``[T, ...]`` of -1, 0 and 1, at most one for each value.

    A spike at step n is worth ``scale * base**-n``; it comes at the first step where the magnitude
    of the value reaches ``scale * base**-n * (1 + 1 / base) / 2``. The gradient of what the spikes
    are worth passes to the value unchanged.
    """

    worth: torch.Tensor

    def __init__(self, *, steps: int, base: float, scale: float = 1.0):
        super().__init__()
        self.steps, self.base, self.scale = steps, base, scale
        worth = float(base) ** -torch.arange(steps, dtype=torch.float64)
        self.register_buffer("worth", worth, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        levels = self.worth.flip(0) * ((1 + 1 / self.base) / 2)
        magnitude = (x.detach().double().abs() / self.scale).contiguous()
        step = self.steps - torch.searchsorted(levels, magnitude, right=True)
        at = torch.arange(self.steps, device=x.device).reshape(-1, *[1] * x.ndim)
        spikes = ((at == step) * x.detach().sign()).to(x.dtype)
        share = self._worth(x) / (self.scale * self.worth.square().sum())
        return spikes + share * (x - x.detach())

    def decode(self, spikes: torch.Tensor) -> torch.Tensor:
        """What spikes ``[T, ...]`` are worth."""
        return self.scale * (spikes * self._worth(spikes[0])).sum(0)

    def _worth(self, like):
        return self.worth.to(like.dtype).reshape(-1, *[1] * like.ndim)

    def extra_repr(self) -> str:
        return f"steps={self.steps}, base={self.base}, scale={self.scale}"


class PhaseCodedAttention(nn.Module):
    """Softmax attention of phase codes q, k and v, spikes ``[T, B, H, N, D]`` each; so is its
    output.

    In training the product and the softmax are those of real numbers, and only the output is
    encoded. In evaluation it is the golden model of the core `spiked`.

    Parameters
    ----------
    steps : int
        Time steps T.
    scales : mapping
        ``base``, and what a spike at step 0 of ``q``, ``k``, ``v``, ``score`` and ``output`` is
        worth.

    Source: "SpikedAttention", NeurIPS 2024.
    """

    FORM = "spiked"

    def __init__(self, *, steps: int, scales: Mapping[str, float]):
        super().__init__()
        self.scales = checked_scales(scales, "PhaseCodedAttention")
        base = self.scales["base"]
        self.decoders = nn.ModuleList(
            PhaseEncoder(steps=steps, base=base, scale=self.scales[name]) for name in "qkv"
        )
        self.encoder = PhaseEncoder(steps=steps, base=base, scale=self.scales["output"])

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return self._golden(q, k, v)
        values = (
            one.decode(x)  # type: ignore[operator]
            for one, x in zip(self.decoders, (q, k, v), strict=True)
        )
        return self.encoder(scaled_dot_product_attention(*values))

    def _golden(self, q, k, v):
        steps, _, _, tokens, dims = q.shape
        config = head_core(self.scales, steps, tokens, dims, v.shape[-1])
        trains = (x.transpose(0, 1).cpu().numpy().astype(np.int8) for x in (q, k, v))
        out = torch.from_numpy(run_heads(config, *trains))
        return out.transpose(0, 1).to(q)
