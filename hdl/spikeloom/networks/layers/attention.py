"""Attention without softmax, in several forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..neuron import NO_NEURON, Neuron
from ..ranges import Bounds
from ..signals import Signal, Spikes
from ..values import whole
from .attention_form import AttentionForm
from .layer import MAX_DIMS, Layer
from .phase_coded import PhaseCoded, checked_scales
from .spike_driven import SpikeDriven
from .spikformer import A2OS2A, Spikformer
from .stochastic import MAX_SEED, Stochastic

if TYPE_CHECKING:
    from numpy.typing import NDArray

ATTENTION_FORMS: dict[str, AttentionForm] = {
    "spikformer": Spikformer(),
    "spike-driven": SpikeDriven(),
    "a2os2a": A2OS2A(),
    "ssa": Stochastic(),
    "spiked": PhaseCoded(),
}
OPTIONAL = ("seed", "scales")


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention(Layer):
    """Attention of `heads` heads over the inputs q, k and v, and its neurons.

    `ATTENTION_FORMS` has a class for each form, which states its equations.

    Fields
    ------
    neuron : not of the forms ssa and spiked, whose outputs are spikes.
    seed : of form ssa, 1 to 2**64 - 1; different in each layer.
    scales : of form spiked, an object of numbers: base, q, k, v, score, output.
    """

    KIND = "attention"
    FORMS: ClassVar[tuple[str, ...]] = tuple(ATTENTION_FORMS)

    form: str
    heads: int
    neuron: Neuron = NO_NEURON
    seed: int | None = None
    scales: Mapping[str, float] | None = None

    def check(self) -> None:
        whole(self.heads, 1, MAX_DIMS, self.where, "heads")
        spiking = self._form.SPIKING
        self.need_neuron(self.neuron, spiking=spiking)
        if not spiking and self.neuron.kind != "none":
            raise self.error(
                f"neuron kind is {self.neuron.kind}; attention of form {self.form} has no neurons"
            )
        if self.neuron.kind == "phase":
            raise self.error("neurons of kind phase do not follow attention; use lif")
        for name in OPTIONAL:
            needed, given = name in self._form.FIELDS, getattr(self, name) is not None
            if needed != given:
                raise self.error(
                    f"attention of form {self.form} {'needs' if needed else 'has no'} field "
                    f"{name!r}; {'add' if needed else 'remove'} it"
                )
        if self.seed is not None:
            whole(self.seed, 1, MAX_SEED, self.where, "seed")
        if self.scales is not None:
            self.set(scales=checked_scales(self.scales, self.where))

    def qkv(self, sources: Sequence[Signal]) -> list[Spikes]:
        """The inputs q, k and v, which must fit each other, the heads and the form."""
        self.take(sources, 3)
        found = self.spikes(sources, phases=self._form.PHASES)
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
