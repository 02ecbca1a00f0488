"""Translates the graph of a network to a `Program`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...errors import InputError
from ..engine_limits import LANES
from ..graph import INPUT, Graph
from ..layers import Attention, Classifier, Layer, Linear, Pooling, Residual
from ..signals import Currents
from .classifier_operations import classify
from .code_checks import check_codes
from .code_storage import is_code
from .current_operations import add_currents, pool_currents
from .layer_operations import LayerOperations
from .operation import Target
from .program import Program
from .rests import varied_rest
from .weight_format import weight_format

WEIGHTS = ("loaded", "initial")

# With many lanes there are few groups, so that a list is soon replayed: more of them in advance.
FEW_LISTS, MORE_LISTS = 2, 4
WIDE = 32  # lanes


def compile_network(
    network: Graph, *, lanes: int = 8, weights: str = "loaded", bit_enables: bool | None = None
) -> Program:
    """The program of a network.

    Parameters
    ----------
    network : Graph.
    lanes : outputs that are computed at once.
    weights : "loaded" by a stream into memory without initial contents (the large RAM of a
        device), or "initial" contents of block RAM.
    bit_enables : whether block RAM has a write enable for each bit (default: if
        weights are loaded).

    Raises `InputError` if the engine cannot run the network.
    """
    if lanes not in LANES:
        raise InputError(f"network {network.name}: lanes is {lanes}; choose one of {LANES}")
    if weights not in WEIGHTS:
        raise InputError(
            f"network {network.name}: weights is {weights!r}; choose one of {', '.join(WEIGHTS)}"
        )
    check_built(network)
    loaded = weights == "loaded"
    enables = loaded if bit_enables is None else bit_enables
    compiler = Compiler(network, lanes=lanes, weight_format=weight_format(network))
    return compiler.program(loaded=loaded, bit_enables=enables)


def check_built(network: Graph) -> None:
    """Raise `InputError` for a layer that the golden model runs and the engine does not."""
    readers: dict[str, list[tuple[Layer, int]]] = {}
    for layer in network.layers:
        for n, name in enumerate(layer.inputs):
            readers.setdefault(name, []).append((layer, n))
    check_codes(network)
    for layer in network.layers:
        if missing := _missing(layer, readers.get(layer.name, [])):
            raise layer.error(
                f"the engine does not build {missing} yet; the golden model runs this network"
            )


def _missing(layer: Layer, readers: Sequence[tuple[Layer, int]]) -> str:
    """What of a layer the engine does not build; empty if it builds all."""
    if layer.inputs == (INPUT,) and varied_rest(layer) is not None:
        return "thresholds that differ in the layer of the image"
    neuron = getattr(layer, "neuron", None)
    if neuron is None or neuron.kind in ("lif", "phase", "none"):
        return ""
    if not isinstance(layer, Linear):
        return f"{neuron.kind} neurons of kind {layer.KIND}"
    if neuron.kind == "ternary" and neuron.reset == "soft":
        return "ternary neurons with soft reset"
    operand = {"relu": 1, "ternary": 2}[neuron.kind]
    for reader, n in readers:
        if not (isinstance(reader, Attention) and n == operand):
            return f"{neuron.kind} neurons that {reader.name} reads"
    return ""


class Compiler(LayerOperations):
    """One translation: operations in the order of layers, then addresses."""

    def program(self, *, loaded: bool, bit_enables: bool) -> Program:
        """The whole program."""
        network = self.network
        for layer in network.layers:
            self._layer(layer)
        words = self.storage.allocate()
        current_words = self.storage.currents.allocate()
        code_words = self.storage.codes.allocate()
        operations = [make() for make in self.operations]
        last = max(n for n, one in enumerate(operations) if one.inputs == (INPUT,))
        operations[last] = replace(operations[last], image=True)
        longest = max(operation.longest_list for operation in operations)
        lists = FEW_LISTS if self.lanes < WIDE else MORE_LISTS
        return Program(
            operations=tuple(operations),
            weights=self.weights.image(),
            loaded=loaded,
            bit_enables=bit_enables,
            lanes=self.lanes,
            weight_bits=self.weight_format.bits,
            shift=self.weight_format.shift,
            accumulator_bits=self._accumulator_bits(),
            steps=network.steps,
            classes=len(network.classes),
            logit_bits=network.bounds[network.classifier.name].current.bits,
            bitmap_words=words,
            image_base=0,
            image=self.storage.image,
            patch=network.embedding.patch,
            pixel_bits=network.pixel_bits,
            lists=lists,
            list_depth=1 << (longest * min(2, lists // 2) - 1).bit_length(),
            state_bits=self._state_bits(),
            signed_state=self.signed_state,
            index_bits=self.index_bits,
            value_words=self.storage.value_words(),
            head_lanes=self.storage.head_lanes,
            current_bits=self.storage.currents.bits,
            current_words=current_words,
            heads=self.heads,
            code_words=code_words,
            levels=self.levels,
            phase_heads=self.phase_heads,
        )

    def _state_bits(self) -> int:
        """Bits of a count of the attention state."""
        states = [one.state for one in self.network.bounds.values() if one.state is not None]
        bits = max((state.bits for state in states), default=0)
        return bits if self.signed_state or not bits else bits - 1

    def _layer(self, layer: Layer) -> None:
        """The operations of a layer. The branch of an `iand` residual is computed by the residual,
        and V by its attention."""
        if isinstance(layer, Classifier):
            classify(self, layer)
        elif is_code(self.network, layer.name):
            self.compute(layer, Target.CODES, layer.name)
        elif isinstance(self.network.signals[layer.name], Currents):
            self._store(layer)
        elif isinstance(layer, Residual):
            if layer.form == "iand":
                self.compute(self.neurons(layer, layer.inputs[1]), Target.CLEAR, layer.name)
        elif isinstance(layer, Pooling):
            if layer.form == "max":
                self.pool(layer)
        elif self.storage.needs_bitmap(layer):
            self.compute(layer, Target.WRITE, layer.name)

    def _store(self, layer: Layer) -> None:
        """The operations of a layer of currents."""
        if isinstance(layer, Residual):
            add_currents(self, layer)
        elif isinstance(layer, Pooling):
            pool_currents(self, layer)
        else:
            self.compute(layer, Target.CURRENTS, layer.name)

    def _accumulator_bits(self) -> int:
        """Bits of an accumulator; the largest current is found by differences."""
        pooled = [
            self.network.bounds[layer.name].current.bits + 1
            for layer in self.network.layers
            if isinstance(layer, Pooling) and layer.form == "max"
            if isinstance(self.network.signals[layer.name], Currents)
        ]
        return max(self.network.accumulator_bits, *pooled, 0)
