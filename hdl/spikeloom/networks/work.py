"""Operations and memory traffic of a network, from the additions of each layer."""

from __future__ import annotations

from collections.abc import Mapping

from ..work import Accesses, Operations, Work
from .graph import Graph
from .layers.layer import Layer
from .layers.weighted import Weighted
from .signals import Spikes


def work(graph: Graph, additions: Mapping[str, float]) -> Work:
    """The work of an image, given the `additions` with nonzero operands of every layer
    (`Result.additions`).

    Each addition reads a weight or, in an attention, reads and writes a word of the state. A weight
    of two digits takes two, each of which reads a digit. Each neuron compares with its threshold in
    every step and, if it leaks, subtracts the leak. Spikes are written once and read once by each
    layer that takes them.
    """
    readers = [name for layer in graph.layers for name in layer.inputs]
    operations, accesses = [], []
    for layer in graph.layers:
        digits, bounds = graph.digits(layer), graph.bounds.get(layer.name)
        count = additions[layer.name] * digits
        bits = bounds.accumulator.bits if bounds else 1
        if count:
            operations.append(Operations(layer.name, "add", bits, count))
        if isinstance(layer, Weighted):
            read = count * graph.word_bits
            accesses.append(Accesses(f"{layer.name}: weights", read, graph.weight_bits))
        elif bounds and bounds.state:
            accesses.append(_state(graph, layer, count, bounds.state.bits))
        signal = graph.signals[layer.name]
        if not isinstance(signal, Spikes):
            continue
        size = signal.tokens * signal.dims
        per_step = _neuron_operations(layer)
        if per_step:
            what, updates = f"{layer.name}: neurons", per_step * signal.steps * size
            operations.append(Operations(what, "add", bits, updates))
        uses = 1 + readers.count(layer.name)
        value = max(signal.high, -signal.low).bit_length() + (signal.low < 0)
        moved = uses * signal.steps * size * value
        accesses.append(Accesses(f"{layer.name}: spikes", moved, signal.steps * size * value))
    return Work(
        "an addition of a weight or a word of the state for each nonzero input and output; 1 or 2 "
        "of each neuron and step: threshold, leak",
        tuple(operations),
        tuple(accesses),
    )


def _state(graph: Graph, layer: Layer, count: float, bits: int) -> Accesses:
    """The state of an attention: the words of one head's K^T V, or of each dim."""
    heads = getattr(layer, "heads", 1)
    *_, k, v = (graph.signals[name] for name in layer.inputs)
    assert isinstance(k, Spikes)
    assert isinstance(v, Spikes)
    capacity = (k.dims // heads) * (v.dims // heads) * bits
    return Accesses(f"{layer.name}: state", 2 * count * bits, capacity)


def _neuron_operations(layer: Layer) -> int:
    """Additions of a neuron in a step."""
    neuron = getattr(layer, "neuron", None)
    if neuron is None or neuron.kind == "none":
        return 0
    return 1 + (neuron.kind in ("lif", "ternary") and neuron.leak > 0)
