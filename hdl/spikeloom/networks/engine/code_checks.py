"""What of phase codes the golden model computes, and the engine does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers import Attention, Linear, Neurons
from ..layers.linear import FRACTION
from ..signals import Currents
from .code_storage import is_code, reads_codes
from .weight_format import possible_shifts

if TYPE_CHECKING:
    from ..graph import Graph

PHASED = "the golden model runs this network"


def check_codes(network: Graph) -> None:
    """Raise `InputError` for a layer that reads or writes phase codes as the engine does not."""
    coded = any(is_code(network, name) for name in network.signals)
    for layer in network.layers:
        if isinstance(layer, Attention) and layer.form == "spiked":
            _check_attention(network, layer)
        if isinstance(layer, Linear) and reads_codes(network, layer):
            _check_linear(network, layer)
        if not (coded and isinstance(layer, Neurons)) or layer.neuron.kind == "phase":
            continue
        (source,) = network.sources(layer)
        if isinstance(source, Currents) and source.constant:
            raise layer.error(
                f"its {layer.neuron.kind} neurons read currents that are the same in all steps; in "
                f"a network of phase codes the engine takes neurons of kind phase there, {PHASED}"
            )


def _check_attention(network: Graph, layer: Attention) -> None:
    for name in layer.inputs:
        if not is_code(network, name):
            raise layer.error(
                f"input {name} is no phase code; the engine takes neurons of kind phase for "
                f"attention of form spiked, {PHASED}"
            )


def _check_linear(network: Graph, layer: Linear) -> None:
    """A linear layer of phase codes."""
    if layer.neuron.kind not in ("phase", "none"):
        raise layer.error(
            f"its {layer.neuron.kind} neurons read a phase code; the engine takes neurons of kind "
            f"phase or none, {PHASED}"
        )
    if network.digits(layer) > 1:
        raise layer.error(
            f"reads a phase code by weights of {layer.weight_bits} bits; the engine takes up to "
            f"{network.word_bits}, which are those of a lane, {PHASED}"
        )
    if FRACTION not in possible_shifts(network):
        raise layer.error(
            f"reads a phase code, whose sums have {FRACTION} fraction bits, in a network with "
            f"lanes of {network.word_bits} bits; the engine takes lane_bits of 6 or 8, and weights "
            f"of up to {FRACTION + network.word_bits} bits in other layers, {PHASED}"
        )
