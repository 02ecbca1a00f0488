"""Attention without softmax, in several forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..neuron import Neuron
from ..ranges import Bounds
from ..signals import Signal, Spikes
from ..values import whole
from .attention_form import AttentionForm
from .layer import MAX_DIMS, Layer
from .spike_driven import SpikeDriven
from .spikformer import A2OS2A, Spikformer

if TYPE_CHECKING:
    from numpy.typing import NDArray

ATTENTION_FORMS: dict[str, AttentionForm] = {
    "spikformer": Spikformer(),
    "spike-driven": SpikeDriven(),
    "a2os2a": A2OS2A(),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention(Layer):
    """Attention of `heads` heads over the inputs q, k and v, and its neurons.

    `ATTENTION_FORMS` has a class for each form, which states its equations.
    """

    KIND = "attention"
    FORMS: ClassVar[tuple[str, ...]] = tuple(ATTENTION_FORMS)

    form: str
    heads: int
    neuron: Neuron

    def check(self) -> None:
        whole(self.heads, 1, MAX_DIMS, self.where, "heads")
        self.need_neuron(self.neuron, spiking=True)

    def qkv(self, sources: Sequence[Signal]) -> list[Spikes]:
        """The inputs q, k and v, which must fit each other, the heads and the form."""
        self.take(sources, 3)
        found = self.spikes(sources)
        for name, source in zip(self.inputs, found, strict=True):
            if source.dims % self.heads:
                raise self.error(
                    f"{self.heads} heads do not divide the {source.dims} dims of {name}; choose a "
                    "divisor"
                )
        self._form.check(self, found)
        return found

    def output(self, sources: Sequence[Signal]) -> Signal:
        return self._form.output(self, self.qkv(sources))

    def bounds(self, sources: Sequence[Signal]) -> Bounds | None:
        return self._form.bounds(self, self.qkv(sources))

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        return self._form.compute(self, self.qkv(sources), inputs)

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        return self._form.additions(self, inputs)

    @property
    def _form(self) -> AttentionForm:
        return ATTENTION_FORMS[self.form]
