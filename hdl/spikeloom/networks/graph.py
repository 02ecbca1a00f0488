"""A network as a graph of layers, checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import InputError, echo
from .engine_limits import LANE_BITS
from .layers import KINDS, Classifier, Convolution, Layer, PatchEmbedding
from .layers.patch_embedding import MAX_SIDE
from .layers.weighted import Weighted, digit_limits
from .ranges import Bounds
from .signals import MAX_STEPS, Currents, Image, Logits, Signal, Spikes
from .values import fields_of, layer_name, line, one_of, sizes, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

INPUT = "image"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
MAX_TOKENS = 4096
MAX_CHANNELS = 64
MAX_LAYERS = 1024
MAX_TEXT = 4000
ACCUMULATOR_BITS = 24
MEMBRANE_BITS = 8  # the least that a network may choose
WIDTHS = ("membrane_bits", "lane_bits")
TEXTS = ("licence", "description")


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """A network: an image, layers in the order of computation, and logits.

    Parameters
    ----------
    name : lower-case letters, digits, '-' and '_'.
    steps : time steps T, 1..64.
    image : height, width and channels.
    layers : each reads layers before it, or "image"; the last one is the classifier.
    pixel_bits : upper bits of a pixel that are used, 1..8.
    membrane_bits : most bits of an accumulator, 8..24; a layer that needs more is refused.
    lane_bits : bits of a weight that a lane reads at once, 4, 6 or 8; default: those of the widest
        weights, at most 8. A layer with wider weights reads two digits of so many bits.
    classes : names of the classes; default: their numbers.
    licence, description : texts for people.

    Raises `InputError`, one line that names the layer, the fault and the remedy.
    """

    name: str
    steps: int
    image: tuple[int, ...]
    layers: tuple[Layer, ...]
    pixel_bits: int = 8
    classes: tuple[str, ...] = ()
    licence: str = ""
    description: str = ""
    membrane_bits: int | None = None
    lane_bits: int | None = None
    signals: dict[str, Signal] = field(init=False, repr=False)
    """The output of each layer, and "image"."""

    def __post_init__(self) -> None:
        check_name(self.name)
        where = f"network {self.name}"
        whole(self.steps, 1, MAX_STEPS, where, "steps")
        whole(self.pixel_bits, 1, 8, where, "pixel_bits")
        if self.membrane_bits is not None:
            whole(self.membrane_bits, MEMBRANE_BITS, ACCUMULATOR_BITS, where, "membrane_bits")
        if self.lane_bits is not None:
            one_of(self.lane_bits, LANE_BITS, where, "lane_bits")
        image = sizes(self.image, 3, MAX_SIDE, where, "image")
        whole(image[2], 1, MAX_CHANNELS, where, "channels of the image")
        for text in TEXTS:
            line(getattr(self, text), MAX_TEXT, where, text)
        if not 1 <= len(self.layers) <= MAX_LAYERS:
            raise InputError(f"{where}: has {len(self.layers)} layers; give 1 to {MAX_LAYERS}")
        self._set(image=image, layers=tuple(self.layers))
        self._check_wiring()
        self._set(signals=self._infer())
        self._check_ends()
        self._check_digits()
        self._check_seeds()
        self._check_classes()
        self._check_widths()

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    # What is derived from the layers

    def layer(self, name: str) -> Layer:
        """The layer called `name`."""
        return self._by_name[name]

    def sources(self, layer: Layer) -> list[Signal]:
        """The signals that a layer reads."""
        return [self.signals[name] for name in layer.inputs]

    @cached_property
    def bounds(self) -> dict[str, Bounds]:
        """The worst case of the sums of each layer that has any, from its weights."""
        found = {layer.name: layer.bounds(self.sources(layer)) for layer in self.layers}
        return {name: bounds for name, bounds in found.items() if bounds is not None}

    @property
    def accumulator_bits(self) -> int:
        """Bits of an accumulator that serves every layer: see `Bounds.accumulator`."""
        return max(bounds.accumulator.bits for bounds in self.bounds.values())

    @property
    def embedding(self) -> PatchEmbedding | Convolution:
        """The only layer that reads the image."""
        (found,) = self._first
        return found

    @property
    def _first(self) -> list[PatchEmbedding | Convolution]:
        """The layers that read the image."""
        found = []
        for layer in self.layers:
            if INPUT in layer.inputs and isinstance(layer, PatchEmbedding | Convolution):
                found.append(layer)
        return found

    @property
    def classifier(self) -> Classifier:
        """The last layer."""
        (found,) = (layer for layer in self.layers if isinstance(layer, Classifier))
        return found

    @property
    def tokens(self) -> int:
        """Tokens that the classifier reads."""
        (source,) = self.sources(self.classifier)
        assert isinstance(source, Spikes)
        return source.tokens

    @property
    def weighted(self) -> list[Weighted]:
        """The layers with weights."""
        return [layer for layer in self.layers if isinstance(layer, Weighted)]

    @property
    def word_bits(self) -> int:
        """Bits of a weight that a lane reads at once."""
        widest = max(layer.weight_bits for layer in self.weighted)
        return self.lane_bits or min(widest, LANE_BITS[-1])

    def digits(self, layer: Layer) -> int:
        """Words of `word_bits` bits that a weight of the layer takes: 1 or 2."""
        return 1 + (isinstance(layer, Weighted) and layer.weight_bits > self.word_bits)

    @property
    def weight_bits(self) -> int:
        """Bits of all weights."""
        digits = sum(self.digits(layer) * layer.weight.size for layer in self.weighted)
        return digits * self.word_bits

    @property
    def weights(self) -> int:
        """Number of weights and biases."""
        return sum(array.size for layer in self.layers for array in layer.tensors().values())

    @cached_property
    def _by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    # Checks

    def _check_wiring(self) -> None:
        """Raise `InputError` unless names are unique and each input is an earlier layer."""
        where = f"network {self.name}"
        names = [layer.name for layer in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{where}: has two layers called {name}; rename one")
        seen = {INPUT}
        for layer in self.layers:
            for name in layer.inputs:
                if name in seen:
                    continue
                if name not in names:
                    known = ", ".join((INPUT, *names))
                    known = known if len(known) <= 200 else f"{INPUT}, {names[0]}, ..."
                    raise layer.error(f"input {echo(name)} does not exist; layers: {known}")
                if loop := self._loop(layer.name):
                    shown = loop if len(loop) <= 6 else [*loop[:4], "...", loop[-1]]
                    raise layer.error(f"is in a cycle ({' <- '.join(shown)}); remove one input")
                raise layer.error(f"input {name} comes later; list {name} before {layer.name}")
            seen.add(layer.name)
        read = {name for layer in self.layers for name in layer.inputs}
        for layer in self.layers[:-1]:
            if layer.name not in read:
                raise layer.error("no layer reads its output; remove it or use it")

    def _loop(self, start: str) -> list[str]:
        """The names of a cycle through layer `start`; empty if there is none."""
        paths, visited = [[start]], set()
        while paths:
            path = paths.pop()
            layer = self._by_name.get(path[-1])
            for name in layer.inputs if layer else ():
                if name == start:
                    return [*path, start]
                if name not in visited:
                    visited.add(name)
                    paths.append([*path, name])
        return []

    def _infer(self) -> dict[str, Signal]:
        """The output of each layer; checks that each layer fits its inputs."""
        height, width, channels = self.image
        signals: dict[str, Signal] = {
            INPUT: Image(self.steps, height, width, channels, self.pixel_bits)
        }
        for layer in self.layers:
            output = layer.output([signals[name] for name in layer.inputs])
            if isinstance(output, Spikes | Currents) and output.tokens > MAX_TOKENS:
                raise layer.error(f"has {output.tokens} tokens; the most are {MAX_TOKENS}")
            signals[layer.name] = output
        return signals

    def _check_ends(self) -> None:
        """Raise `InputError` unless one layer reads the image and the last one is the only
        classifier."""
        first = self._first
        if len(first) > 1:
            raise first[1].error(
                f"is the second layer that reads the image, after {first[0].name}; keep one"
            )
        last = self.layers[-1]
        if not isinstance(self.signals[last.name], Logits):
            raise last.error("is the last layer; end the network with a layer of kind classifier")

    def _check_digits(self) -> None:
        """Raise `InputError` for weights that are wider than two words of a lane."""
        bits = self.word_bits
        low, high = digit_limits(bits, bits)
        for layer in self.weighted:
            least, most = int(layer.weight.min()), int(layer.weight.max())
            if self.digits(layer) > 1 and (least < low or most > high):
                wider = ", or raise lane_bits" if bits < LANE_BITS[-1] else ""
                raise layer.error(
                    f"weights from {least} to {most} do not fit two digits of {bits} bits, which "
                    f"hold {low}..{high}; scale them{wider}"
                )

    def _check_seeds(self) -> None:
        """Raise `InputError` if two layers draw the same bits."""
        found: dict[int, Layer] = {}
        for layer in self.layers:
            seed = getattr(layer, "seed", None)
            if seed is not None and seed in found:
                raise layer.error(
                    f"has the seed {seed} of {found[seed].name} and would draw the same bits; give "
                    "it another one"
                )
            found |= {} if seed is None else {seed: layer}

    def _check_classes(self) -> None:
        """Raise `InputError` unless each output has a name; without any, numbers are the names."""
        where, outputs, names = f"network {self.name}", self.classifier.outputs, self.classes
        if isinstance(names, str) or not isinstance(names, list | tuple):
            raise InputError(f"{where}: classes must be a list of names")
        names = tuple(names) or tuple(str(n) for n in range(outputs))
        for name in names:
            line(name, 100, where, "the name of a class")
        if len(names) != outputs or len({*names}) != outputs:
            raise InputError(
                f"{where}: has {len({*names})} different names of classes and {outputs} outputs; "
                "make them equal"
            )
        self._set(classes=names)

    def _check_widths(self) -> None:
        """Raise `InputError` if an accumulator is too narrow for a layer."""
        bits = self.membrane_bits or ACCUMULATOR_BITS
        for name, bounds in self.bounds.items():
            if bounds.accumulator.bits > bits:
                raise self.layer(name).error(
                    f"its sums reach {bounds.accumulator.low}..{bounds.accumulator.high} and need "
                    f"{bounds.accumulator.bits} bits, accumulators have {bits}; reduce "
                    f"weights, bias or threshold{self._wider}"
                )

    @property
    def _wider(self) -> str:
        """What else helps against sums that are too wide."""
        return "" if self.membrane_bits is None else ", or raise membrane_bits"

    # JSON

    @classmethod
    def from_json(cls, entry: Any, tensors: Mapping[str, NDArray]) -> Graph:
        """The network of its JSON description, with the arrays of `tensors`."""
        optional = ("pixel_bits", *WIDTHS, "classes", *TEXTS)
        given = fields_of(
            entry, "network", "the network", ("name", "steps", "image", "layers"), optional
        )
        layers = given["layers"]
        if not isinstance(layers, list):
            raise InputError("network: layers must be a list of objects")
        if len(layers) > MAX_LAYERS:
            raise InputError(f"network: has {len(layers)} layers; the most are {MAX_LAYERS}")
        given["layers"] = tuple(layer_from_json(one, n, tensors) for n, one in enumerate(layers))
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """The JSON description; `tensors` holds the arrays."""
        widths = {name: getattr(self, name) for name in WIDTHS}
        return {
            "name": self.name,
            "steps": self.steps,
            "image": list(self.image),
            "pixel_bits": self.pixel_bits,
            **{name: bits for name, bits in widths.items() if bits is not None},
            "classes": list(self.classes),
            **{text: getattr(self, text) for text in TEXTS},
            "layers": [layer.to_json() for layer in self.layers],
        }

    def tensors(self) -> dict[str, NDArray]:
        """All arrays by the name of their tensor."""
        return {name: array for layer in self.layers for name, array in layer.tensors().items()}


def check_name(name: Any) -> None:
    """Raise `InputError` unless a network may have that name."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError(
            f"network: {echo(name)} is not a name; use a lower-case letter, then letters, digits, "
            "'-' or '_', at most 64 in all"
        )


def layer_from_json(entry: Any, number: int, tensors: Mapping[str, NDArray]) -> Layer:
    """The layer of a JSON entry, which is number `number` of the list."""
    where = f"layer number {number}"
    if not isinstance(entry, dict):
        raise InputError(f"{where}: is {echo(entry)}, not an object; give its fields")
    if "name" not in entry:
        raise InputError(f"{where}: has no field 'name'; add it")
    where = f"layer {layer_name(entry['name'], where)}"
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"{where}: kind {echo(kind)} does not exist; kinds: {', '.join(KINDS)}")
    return KINDS[kind].from_json(entry, where, tensors)
