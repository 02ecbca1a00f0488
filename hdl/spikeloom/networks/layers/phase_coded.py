"""Attention "spiked": softmax of phase codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    PHASES = True

    def check(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        for name, source in zip(layer.inputs, qkv, strict=True):
            self.need(layer, name, source, -1, 1, "spikes")
        same_dims(layer, qkv[:2])
        self._check_base(layer, qkv)
        try:
            self.config(layer, qkv)
        except InputError as error:
            raise layer.error(str(error)) from None

    def _check_base(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        """Raise `InputError` unless inputs that are phase codes have the base of the scales."""
        assert layer.scales is not None
        for name, source in zip(layer.inputs, qkv, strict=True):
            base = base_of(source.shift) if source.shift else layer.scales["base"]
            if base != layer.scales["base"]:
                raise layer.error(
                    f"input {name} is a phase code of base {base!r} and the scales have base "
                    f"{layer.scales['base']!r}; make them equal"
                )

    def config(self, layer: Attention, qkv: Sequence[Spikes]) -> Spiked:
        """The core of a head."""
        q, _, v = qkv
        dims, values = (one.dims // layer.heads for one in (q, v))
        assert layer.scales is not None
        return head_core(layer.scales, q.steps, q.tokens, dims, values)

    def output(self, layer: Attention, qkv: Sequence[Spikes]) -> Signal:
        v = qkv[2]
        return Spikes(v.steps, v.tokens, v.dims, low=-1, grid=v.grid, shift=v.shift)

    def bounds(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        return None

    def compute(
        self, layer: Attention, qkv: Sequence[Spikes], inputs: Sequence[NDArray]
    ) -> NDArray:
        heads = [by_head(x.astype(np.int8), layer.heads) for x in inputs]
        return from_heads(run_heads(self.config(layer, qkv), *heads))

    def additions(self, layer: Attention, inputs: Sequence[NDArray]) -> NDArray:
        """A table entry for each pair of spikes of q and k, and of probabilities and v; as if every
        probability spiked."""
        q, k, v = (
            by_head((x != 0).any(1, keepdims=True), layer.heads).sum((1, 3), dtype=np.int64)
            for x in inputs
        )
        tokens = inputs[0].shape[2]
        return (q * k).sum((1, 2)) + tokens * v.sum((1, 2))


def base_of(shift: int) -> float:
    """The base of a phase code, whose division by the base is a shift and a subtraction."""
    return 2**shift / (2**shift - 1)


def head_core(
    scales: Mapping[str, float], steps: int, tokens: int, head_dim: int, value_dim: int
) -> Spiked:
    """The core of a head."""
    from ...cores.spiked.core import Spiked

    return Spiked(
        tokens=tokens,
        head_dim=head_dim,
        value_dim=value_dim,
        steps=steps,
        base=scales["base"],
        q_scale=scales["q"],
        k_scale=scales["k"],
        v_scale=scales["v"],
        score_scale=scales["score"],
        output_scale=scales["output"],
    )


def run_heads(config: Spiked, q: NDArray, k: NDArray, v: NDArray) -> NDArray:
    """The spike trains (B, T, H, N, D) of the outputs, for those of the operands."""
    from ...cores.spiked.golden import from_spike_train, run, to_spike_train

    codes = [from_spike_train(train.swapaxes(0, 1)) for train in (q, k, v)]  # (B, H, N, D)
    out = np.empty(codes[2].shape, np.int16)
    for at in np.ndindex(*out.shape[:2]):  # the core takes them one by one
        out[at] = run(config, *(code[at] for code in codes))
    return to_spike_train(config, out).swapaxes(0, 1)


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
