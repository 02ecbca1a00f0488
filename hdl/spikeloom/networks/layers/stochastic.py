"""Attention "ssa": stochastic spiking attention, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ..signals import Signal, Spikes
from .attention_form import AttentionForm
from .spikformer import by_head, from_heads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...cores.ssa.core import SSA
    from .attention import Attention

MAX_SEED = 2**64 - 1
GOLDEN_RATIO = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio
MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))


class Stochastic(AttentionForm):
    """For each head, the core `ssa` of engine "sampled" with one lane: a spike with probability

        1 / (D N) sum over j and c of q[t, i, c] k[t, j, c] v[t, j, d]

    which is also that of engine "counter". There is no neuron. Head h has the seed `head_seed` of
    the layer's `seed` and h; its draws are the same for all images, so that the logits of an image
    do not depend on other images.

    Source: Song et al., "Stochastic Spiking Attention", AICAS 2024.
    """

    FIELDS = ("seed",)
    SPIKING = False

    def check(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        super().check(layer, qkv)
        try:
            self.config(layer, qkv, 0)
        except InputError as error:
            raise layer.error(str(error)) from None

    def config(self, layer: Attention, qkv: Sequence[Spikes], head: int) -> SSA:
        """The core of a head."""
        q, _, v = qkv
        dims, values = (one.dims // layer.heads for one in (q, v))
        assert layer.seed is not None
        return head_core(layer.seed, head, q.steps, q.tokens, dims, values)

    def output(self, layer: Attention, qkv: Sequence[Spikes]) -> Signal:
        v = qkv[2]
        return Spikes(v.steps, v.tokens, v.dims, grid=v.grid)

    def bounds(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        return None

    def compute(
        self, layer: Attention, qkv: Sequence[Spikes], inputs: Sequence[NDArray]
    ) -> NDArray:
        q, k, v = (by_head(x, layer.heads) for x in inputs)
        out = np.empty_like(v)
        step, query, dim = np.ogrid[: q.shape[1], : q.shape[3], : v.shape[4]]
        for head in range(layer.heads):
            c, j = sampled_places(self.config(layer, qkv, head))
            q_h, k_h, v_h = q[:, :, head], k[:, :, head], v[:, :, head]
            out[:, :, head] = q_h[:, step, query, c] & k_h[:, step, j, c] & v_h[:, step, j, dim]
        return from_heads(out)

    def additions(self, layer: Attention, inputs: Sequence[NDArray]) -> NDArray:
        """None: an output looks at one element of each input."""
        return np.zeros(len(inputs[0]), np.int64)


def head_core(seed: int, head: int, steps: int, tokens: int, head_dim: int, value_dim: int) -> SSA:
    """The core of head number `head` of a layer with a `seed`."""
    from ...cores.ssa.core import SSA

    return SSA(
        tokens=tokens,
        head_dim=head_dim,
        value_dim=value_dim,
        steps=steps,
        engine="sampled",
        seed=head_seed(seed, head),
    )


def head_seed(seed: int, head: int) -> int:
    """The seed of a head: SplitMix64's output number `head` for the layer's seed; 0 becomes 1."""
    mask = 2**64 - 1
    z = seed + (head + 1) * GOLDEN_RATIO & mask
    for shift, factor in MIX:
        z = (z ^ z >> shift) * factor & mask
    return z or 1


@lru_cache(maxsize=256)
def sampled_places(config: SSA) -> tuple[NDArray, NDArray]:
    """The dimension and the key that each output (T, N, Dv) looks at."""
    from ...cores.ssa.golden_sampled import draw_indices, places

    return places(config, *draw_indices(config))
