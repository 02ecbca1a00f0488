"""Attention "spiked": softmax of phase codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError, echo
from ..signals import Signal, Spikes
from ..values import fields_of
from .attention_form import AttentionForm, same_dims
from .spikformer import by_head, from_heads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...cores.spiked.core import Spiked
    from .attention import Attention

SCALES = ("base", "q", "k", "v", "score", "output")


class PhaseCoded(AttentionForm):
    """For each head, the core `spiked`: a softmax attention whose numbers are phase codes.

    The first spike of a neuron counts, of either sign: at step n it is worth ``sign base**-n``, in
    units of the operand's scale. The output is spikes of the same code, at most one for each
    neuron. There is no neuron of its own.

    Source: "SpikedAttention", NeurIPS 2024.
    """

    FIELDS = ("scales",)
    SPIKING = False

    def check(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        for name, source in zip(layer.inputs, qkv, strict=True):
            self.need(layer, name, source, -1, 1, "spikes")
        same_dims(layer, qkv[:2])
        try:
            self.config(layer, qkv)
        except InputError as error:
            raise layer.error(str(error)) from None

    def config(self, layer: Attention, qkv: Sequence[Spikes]) -> Spiked:
        """The core of a head."""
        from ...cores.spiked.core import Spiked

        q, _, v = qkv
        assert layer.scales is not None
        scales = layer.scales
        return Spiked(
            tokens=q.tokens,
            head_dim=q.dims // layer.heads,
            value_dim=v.dims // layer.heads,
            steps=q.steps,
            base=scales["base"],
            q_scale=scales["q"],
            k_scale=scales["k"],
            v_scale=scales["v"],
            score_scale=scales["score"],
            output_scale=scales["output"],
        )

    def output(self, layer: Attention, qkv: Sequence[Spikes]) -> Signal:
        v = qkv[2]
        return Spikes(v.steps, v.tokens, v.dims, low=-1, grid=v.grid)

    def bounds(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        return None

    def compute(
        self, layer: Attention, qkv: Sequence[Spikes], inputs: Sequence[NDArray]
    ) -> NDArray:
        from ...cores.spiked.golden import from_spike_train, run, to_spike_train

        config = self.config(layer, qkv)
        # Trains as codes (B, H, N, D), which the core takes one by one.
        trains = [by_head(x.astype(np.int8), layer.heads).swapaxes(0, 1) for x in inputs]
        q, k, v = (from_spike_train(train) for train in trains)
        codes = np.empty(v.shape, np.int16)
        for at in np.ndindex(*v.shape[:2]):
            codes[at] = run(config, q[at], k[at], v[at])
        return from_heads(to_spike_train(config, codes).swapaxes(0, 1))

    def additions(self, layer: Attention, inputs: Sequence[NDArray]) -> NDArray:
        """A table entry for each pair of spikes of q and k, and of probabilities and v; as if every
        probability spiked."""
        q, k, v = (
            by_head((x != 0).any(1, keepdims=True), layer.heads).sum((1, 3), dtype=np.int64)
            for x in inputs
        )
        tokens = inputs[0].shape[2]
        return (q * k).sum((1, 2)) + tokens * v.sum((1, 2))


def checked_scales(scales: Any, where: str) -> dict[str, float]:
    """The scales of phase codes as numbers. Raises `InputError` naming `where`; ranges are those of
    the core."""
    given = fields_of(scales, where, "scales", SCALES)
    found = {}
    for name in SCALES:
        value = given[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{where}: {name} of scales is {echo(value)}; it must be a number")
        found[name] = value
    return found
