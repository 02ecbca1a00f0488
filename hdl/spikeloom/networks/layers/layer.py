"""The interface of every kind of layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...counted import counted
from ...errors import InputError, echo
from ..neuron import Neuron
from ..ranges import Bounds
from ..signals import Currents, Signal, Spikes
from ..values import fields_of, layer_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_DIMS = 4096
MAX_INPUTS = 255


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """One layer of a network.

    A subclass is a frozen dataclass whose fields are the fields of its JSON entry; arrays are named
    tensors of the file. It is registered by its `KIND` in `spikeloom.networks.layers`.

    Class members
    -------------
    KIND : the field ``kind`` of its JSON entry.
    TENSORS : the fields that are arrays, with the type of their elements; see `tensor_type`.
    FORMS : the allowed values of a field ``form``, if it has one.
    """

    KIND: ClassVar[str]
    TENSORS: ClassVar[Mapping[str, str]] = {}
    FORMS: ClassVar[tuple[str, ...]] = ()

    name: str
    inputs: tuple[str, ...]

    def __post_init__(self) -> None:
        layer_name(self.name, "network")
        self._check_inputs()
        self._check_form()
        self.check()

    @property
    def where(self) -> str:
        """The layer in messages."""
        return f"layer {self.name}"

    def error(self, message: str) -> InputError:
        """An `InputError` that names the layer."""
        return InputError(f"{self.where}: {message}")

    def set(self, **values: Any) -> None:
        """Replace fields by their checked form (for `check` only)."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    # What each kind defines

    def check(self) -> None:
        """Check and convert the layer's own fields. Raises `InputError`."""

    def output(self, sources: Sequence[Signal]) -> Signal:
        """The signal that the layer produces from its inputs. Raises `InputError` if they do not
        fit."""
        raise NotImplementedError

    def bounds(self, sources: Sequence[Signal]) -> Bounds | None:
        """The worst case of the layer's sums; None if it has none."""
        return None

    def compute(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """The golden model: the output of a batch of images.

        Arrays of spikes have the shape (B, T, N, D) with integers ``0..high``; images are
        (B, Y, X, C), logits (B, classes).
        """
        raise NotImplementedError

    def additions(self, sources: Sequence[Signal], inputs: Sequence[NDArray]) -> NDArray:
        """Additions of weights or state words with nonzero operands, for each image of a batch."""
        raise NotImplementedError

    # JSON

    @classmethod
    def from_json(
        cls, entry: Mapping[str, Any], where: str, tensors: Mapping[str, NDArray]
    ) -> Self:
        """The layer of a JSON entry, with its arrays from `tensors`. Raises `InputError`."""
        required = ["kind", *(field.name for field in fields(cls) if field.default is MISSING)]
        optional = [field.name for field in fields(cls) if field.default is not MISSING]
        given = fields_of(entry, where, "the layer", required, optional)
        del given["kind"]
        for name in cls.TENSORS:
            if name not in given:
                continue
            tensor = given[name]
            if not isinstance(tensor, str) or tensor not in tensors:
                raise InputError(
                    f"{where}: {name} is tensor {echo(tensor)}, which the file does not have; add "
                    "it"
                )
            given[name], dtype = tensors[tensor], cls.tensor_type(name, entry)
            if given[name].dtype.name != dtype:
                raise InputError(
                    f"{where}: tensor {echo(tensor)} holds {given[name].dtype.name}; {name} must "
                    f"be {dtype}"
                )
        if "neuron" in given:
            given["neuron"] = Neuron.from_json(given["neuron"], where)
        return cls(**given)

    @classmethod
    def tensor_type(cls, field: str, entry: Mapping[str, Any]) -> str:
        """The type of the elements of an array, which may depend on other fields of the entry."""
        return cls.TENSORS[field]

    def to_json(self) -> dict[str, Any]:
        """The JSON entry; array `weight` of layer ``a`` is tensor ``a.weight``."""
        entry: dict[str, Any] = {"kind": self.KIND}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            if field.name in self.TENSORS:
                value = self.tensor_name(field.name)
            elif isinstance(value, Neuron):
                value = value.to_json()
            elif isinstance(value, Mapping):
                value = dict(value)
            entry[field.name] = list(value) if isinstance(value, tuple) else value
        return entry

    def tensors(self) -> dict[str, NDArray]:
        """The arrays by the name of their tensor."""
        found = {self.tensor_name(name): getattr(self, name) for name in self.TENSORS}
        return {name: array for name, array in found.items() if array is not None}

    def tensor_name(self, field: str) -> str:
        """The name that the writer gives to an array."""
        return f"{self.name}.{field}"

    # Checks that kinds share

    def _check_inputs(self) -> None:
        names = self.inputs
        if isinstance(names, str) or not isinstance(names, Sequence):
            raise self.error("inputs must be a list of names of layers")
        if not 1 <= len(names) <= MAX_INPUTS or not all(isinstance(name, str) for name in names):
            raise self.error(f"inputs must be 1 to {MAX_INPUTS} names of layers")
        self.set(inputs=tuple(names))

    def _check_form(self) -> None:
        form = getattr(self, "form", None)
        if self.FORMS and form not in self.FORMS:
            raise self.error(
                f"form {echo(form)} does not exist; forms of {self.KIND}: {', '.join(self.FORMS)}"
            )

    def take(self, sources: Sequence[Signal], count: int) -> None:
        """Raise `InputError` unless there are `count` inputs."""
        if len(sources) != count:
            raise self.error(
                f"has {counted(len(sources), 'input')}; kind {self.KIND} takes {count}"
            )

    def spikes(self, sources: Sequence[Signal], *, phases: bool = False) -> list[Spikes]:
        """The inputs, which must all be spikes or their sums, of equal steps and tokens, and phase
        codes only with `phases`."""
        found = []
        for name, source in zip(self.inputs, sources, strict=True):
            if not isinstance(source, Spikes):
                raise self.error(f"input {name} is {source}; {self.KIND} takes spikes of a layer")
            if source.shift and not phases:
                form = f" of form {form}" if (form := getattr(self, "form", "")) else ""
                raise self.error(
                    f"input {name} is a phase code, which {self.KIND}{form} does not take; add up "
                    "the currents of layers with neuron kind none instead"
                )
            found.append(source)
        if len({(one.steps, one.tokens) for one in found}) > 1:
            shapes = ", ".join(f"{n} {s.tokens}" for n, s in zip(self.inputs, found, strict=True))
            raise self.error(f"inputs have different numbers of tokens: {shapes}; make them equal")
        return found

    def grid_of(self, source: Spikes | Currents, name: str) -> tuple[int, int]:
        """Rows and columns of the tokens of input `name`. Raises `InputError` without them."""
        if source.grid is None:
            raise self.error(
                f"the tokens of {name} are no grid of rows and columns; {self.KIND} needs one"
            )
        return source.grid

    def currents(self, sources: Sequence[Signal]) -> list[Currents]:
        """The inputs, which must all be currents of equal steps, tokens and dims."""
        found = []
        for name, source in zip(self.inputs, sources, strict=True):
            if not isinstance(source, Currents):
                raise self.error(
                    f"input {name} is {source}; {self.KIND} takes currents, of a layer with neuron "
                    "kind none or of a membrane shortcut"
                )
            found.append(source)
        if len({(one.tokens, one.dims) for one in found}) > 1:
            shapes = ", ".join(f"{n} is {s}" for n, s in zip(self.inputs, found, strict=True))
            raise self.error(f"inputs have different shapes: {shapes}; make them equal")
        return found

    def need_neuron(self, neuron: Any, *, spiking: bool = False) -> None:
        """Raise `InputError` unless `neuron` is a valid `Neuron`, with `spiking` one that fires."""
        if not isinstance(neuron, Neuron):
            raise self.error("neuron is missing; give its kind, threshold, leak and reset")
        neuron.check(self.where)
        if spiking and neuron.kind == "none":
            raise self.error(
                f"neuron kind is none; {self.KIND} has neurons, give their kind and threshold"
            )
