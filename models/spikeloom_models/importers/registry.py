"""Architectures that can be imported: each is registered by a decorator, one file each."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from spikeloom.errors import InputError, echo, unknown

if TYPE_CHECKING:
    from torch import Tensor

    from ..floating import FloatNetwork
    from ..phase_conversion import VisionNetwork

COUNTERS = "num_batches_tracked"  # of batch normalisation; nothing depends on it


@dataclass(frozen=True)
class Setting:
    """A value that a state dict lacks, with the default of the architecture's own code.

    Members
    -------
    default : a number, a tuple of numbers (written with commas), one of `choices`, or None if there
        is no default and the user must say it.
    whole, zero, infinite : whether it is an integer, and whether it may be 0 or infinite.
    most : the largest value, if there is one.
    several : whether it may be a tuple though the default is none.
    choices : the texts that are allowed.
    """

    name: str
    default: float | tuple[float, ...] | str | None
    help: str
    whole: bool = False
    zero: bool = False
    infinite: bool = False
    most: float | None = None
    several: bool = False
    choices: tuple[str, ...] = ()

    def parse(self, text: str) -> float | int | tuple[float, ...] | str:
        """The value of ``--set name=text``. Raises `InputError`."""
        if self.choices:
            if text not in self.choices:
                raise self._error(text, " or ".join(self.choices))
            return text
        try:
            values = tuple(self._number(part) for part in str(text).split(","))
        except ValueError:
            raise self._error(text, self._wanted) from None
        if isinstance(self.default, tuple):
            return values
        if len(values) > 1 and not self.several:
            raise self._error(text, f"{self._wanted}, one alone")
        return values if len(values) > 1 else next(iter(values))

    def _number(self, text: str) -> float:
        value = int(text) if self.whole else float(text)
        most = math.inf if self.most is None else self.most
        allowed = self.infinite or abs(value) < math.inf
        if not (allowed and value <= most and (value > 0 or (self.zero and value == 0))):
            raise ValueError
        return value

    @property
    def _wanted(self) -> str:
        kind = "an integer" if self.whole else "a number"
        limit = "from 0" if self.zero else "above 0"
        return f"{kind} {limit}" + ("" if self.most is None else f" to {self.most:g}")

    def _error(self, text: str, wanted: str) -> InputError:
        shown = text if len(text) <= 40 else f"{text[:30]}..."
        return InputError(f"--set {self.name}={shown}: give {wanted} ({self.help})")


@dataclass(frozen=True)
class Architecture:
    """An architecture: its `settings`, and the function that builds the network from the tensors
    of a checkpoint and the values of the settings."""

    name: str
    title: str
    settings: tuple[Setting, ...]
    build: Callable[[Keys, Mapping[str, Any]], FloatNetwork | VisionNetwork]

    def values(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The values of all settings. Raises `InputError` for one that is unknown or missing."""
        known = {setting.name: setting for setting in self.settings}
        for name in given:
            if name not in known:
                raise unknown("setting", name, known)
        values = {name: s.parse(given[name]) for name, s in known.items() if name in given}
        for name, setting in known.items():
            if setting.default is None and name not in values:
                raise InputError(
                    f"a {self.name} checkpoint does not hold {name} ({setting.help}); give it with "
                    f"--set {name}=VALUE"
                )
        return {name: values.get(name, setting.default) for name, setting in known.items()}


_found: dict[str, Architecture] = {}


def architecture(name: str, title: str, *settings: Setting) -> Callable:
    """Register a function ``build(keys, values) -> FloatNetwork`` as architecture `name`."""

    def register(build: Callable[[Keys, Mapping[str, Any]], FloatNetwork]) -> Callable:
        _found[name] = Architecture(name, title, settings, build)
        return build

    return register


def architectures() -> dict[str, Architecture]:
    """All architectures by name."""
    from . import architectures as package

    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_found.items()))


class Keys:
    """The tensors of a checkpoint: every key is taken with the shape that it must have, or refused.

    Parameters
    ----------
    state : tensors by key.
    """

    def __init__(self, state: Mapping[str, Tensor]):
        self._state, self._ignored = dict(state), (COUNTERS,)
        self._taken: set[str] = set()

    def ignore(self, *ends: str) -> None:
        """Leave out keys with these ends: the architecture's own code does not use them."""
        self._ignored += ends

    def __contains__(self, key: str) -> bool:
        return key in self._state

    def take(self, key: str, *shape: int | None) -> Tensor:
        """A tensor; None in `shape` stands for any size, trailing sizes of 1 are dropped."""
        tensor = self._tensor(key)
        given = tuple(tensor.shape)
        while tensor.ndim > len(shape) and tensor.shape[-1] == 1:
            tensor = tensor.squeeze(-1)
        fits = tensor.ndim == len(shape) and all(
            want in (None, have) for want, have in zip(shape, tensor.shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise InputError(f"{key} has the shape {given}; it must be ({wanted})")
        if not tensor.is_floating_point():
            raise InputError(f"{key} holds {tensor.dtype}; give floating-point weights")
        return tensor.float()

    def _tensor(self, key: str) -> Tensor:
        if key not in self._state:
            raise InputError(self._lacking(key))
        self._taken.add(key)
        return self._state[key]

    def _lacking(self, key: str) -> str:
        """Why there is no `key`, in one line."""
        near = get_close_matches(key, self._state, n=1)
        modules = [name.rpartition(".")[0] for name in (key, *near)]
        for module in modules:
            if module in self.layer_norms():
                return f"the checkpoint lacks {key}: {layer_norm(module)}"
        held = f" (it holds {echo(near[0])})" if near else ""
        return f"the checkpoint lacks {key}{held}; is this the right --arch?"

    def layer_norms(self) -> list[str]:
        """The modules that look like a LayerNorm: a weight and a bias of one axis alone."""
        return [
            name
            for name, parts in self.groups().items()
            if parts == {"weight", "bias"} and self._state[f"{name}.weight".lstrip(".")].ndim == 1
        ]

    def numbers(self, key: str) -> Tensor:
        """A tensor of one number or of one for each output, as float64 ``[n]``."""
        if key in self._state and self._state[key].ndim > 1:
            raise InputError(f"{key} has the shape {tuple(self._state[key].shape)}; give one axis")
        return self._tensor(key).double().reshape(-1)

    def groups(self) -> dict[str, set[str]]:
        """The last part of all keys, by what comes before it, in the order of the checkpoint."""
        found: dict[str, set[str]] = {}
        for key in self._state:
            module, _, name = key.rpartition(".")
            found.setdefault(module, set()).add(name)
        return found

    def count(self, pattern: str) -> int:
        """How many numbers 0, 1, ... stand in keys that begin with `pattern`, which has one {}."""
        number = 0
        while any(key.startswith(pattern.format(number)) for key in self._state):
            number += 1
        return number

    def close(self) -> None:
        """Raise `InputError` if a key was not taken."""
        left = [key for key in self._unused() if not key.endswith(self._ignored)]
        for key in left:
            module = key.rpartition(".")[0]
            if module in self.layer_norms():
                raise InputError(layer_norm(module))
        if left:
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            raise InputError(
                f"the checkpoint holds {echo(left[0])}{more}, which the architecture does not have"
            )

    def _unused(self) -> Iterator[str]:
        return (key for key in self._state if key not in self._taken)


def layer_norm(name: str) -> str:
    """Why a LayerNorm is refused."""
    return (
        f"{echo(name)} is a LayerNorm, which normalises each token by its own statistics; the "
        "hardware folds normalisations into weights: train with BatchNorm1d in its place"
    )
