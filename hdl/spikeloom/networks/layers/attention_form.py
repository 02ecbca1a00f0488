"""The interface of every form of attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ..ranges import Bounds
from ..signals import Signal, Spikes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .attention import Attention


class AttentionForm:
    """What a form of attention computes from its inputs q, k and v.

    A form is registered by its name in `spikeloom.networks.layers.attention`.

    Class members
    -------------
    FIELDS : the optional fields of the layer that the form needs.
    SPIKING : whether neurons follow.
    PHASES : whether the inputs may be phase codes.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ()
    SPIKING: ClassVar[bool] = True
    PHASES: ClassVar[bool] = False

    def check(self, layer: Attention, qkv: Sequence[Spikes]) -> None:
        """Check the inputs, whose heads are known to fit. Raises `InputError`; here, unless all are
        spikes, with q and k of equal dims."""
        for name, source in zip(layer.inputs, qkv, strict=True):
            self.need(layer, name, source, 0, 1, "spikes")
        same_dims(layer, qkv[:2])

    def need(
        self, layer: Attention, name: str, source: Spikes, low: int, high: int, what: str
    ) -> None:
        """Raise `InputError` unless an input holds integers ``low..high`` only."""
        if source.low < low or source.high > high:
            raise layer.error(
                f"input {name} holds {source.low}..{source.high}; attention takes {what}"
            )

    def output(self, layer: Attention, qkv: Sequence[Spikes]) -> Signal:
        """The signal of the layer."""
        raise NotImplementedError

    def bounds(self, layer: Attention, qkv: Sequence[Spikes]) -> Bounds | None:
        """The worst case of its sums; None if it has none."""
        raise NotImplementedError

    def compute(
        self, layer: Attention, qkv: Sequence[Spikes], inputs: Sequence[NDArray]
    ) -> NDArray:
        """The output of a batch, see `Layer.compute`."""
        raise NotImplementedError

    def additions(self, layer: Attention, inputs: Sequence[NDArray]) -> NDArray:
        """See `Layer.additions`."""
        raise NotImplementedError


def same_dims(layer: Attention, sources: Sequence[Spikes]) -> None:
    """Raise `InputError` unless the first inputs have equal dims."""
    for name, source in zip(layer.inputs, sources, strict=False):
        if source.dims != sources[0].dims:
            raise layer.error(
                f"{layer.inputs[0]} has {sources[0].dims} dims and {name} {source.dims}; make them "
                "equal"
            )
