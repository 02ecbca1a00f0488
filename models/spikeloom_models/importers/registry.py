"""Architectures that can be imported: each is registered by a decorator, one file each."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from spikeloom.errors import InputError, echo, unknown

if TYPE_CHECKING:
    from torch import Tensor

    from ..floating import FloatNetwork

COUNTERS = "num_batches_tracked"  # of batch normalisation; nothing depends on it


@dataclass(frozen=True)
class Setting:
    """A value that a state dict lacks, with the default of the architecture's own code.

    `default` is a number, or a tuple of numbers (written with commas), or None if there is no
    default and the user must say it.
    """

    name: str
    default: float | tuple[float, ...] | None
    help: str
    whole: bool = False

    def parse(self, text: str) -> float | int | tuple[float, ...]:
        """The value of ``--set name=text``. Raises `InputError`."""
        try:
            values = tuple(self._number(part) for part in str(text).split(","))
        except ValueError:
            kind = "an integer" if self.whole else "a number"
            raise InputError(f"--set {self.name}={text}: give {kind} ({self.help})") from None
        single = len(values) == 1 and not isinstance(self.default, tuple)
        return next(iter(values)) if single else values

    def _number(self, text: str) -> float:
        value = int(text) if self.whole else float(text)
        if math.isnan(value) or value < 0:
            raise ValueError
        return value


@dataclass(frozen=True)
class Architecture:
    """An architecture: its `settings`, and the function that builds the network from the tensors
    of a checkpoint and the values of the settings."""

    name: str
    title: str
    settings: tuple[Setting, ...]
    build: Callable[[Keys, Mapping[str, Any]], FloatNetwork]

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
        if key not in self._state:
            near = _nearest(key, self._state)
            raise InputError(f"the checkpoint lacks {key}{near}; is this the right --arch?")
        self._taken.add(key)
        tensor = self._state[key]
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

    def count(self, pattern: str) -> int:
        """How many numbers 0, 1, ... stand in keys that begin with `pattern`, which has one {}."""
        number = 0
        while any(key.startswith(pattern.format(number)) for key in self._state):
            number += 1
        return number

    def close(self) -> None:
        """Raise `InputError` if a key was not taken."""
        left = [key for key in self._unused() if not key.endswith(self._ignored)]
        if left:
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            raise InputError(
                f"the checkpoint holds {echo(left[0])}{more}, which the architecture does not have"
            )

    def _unused(self) -> Iterator[str]:
        return (key for key in self._state if key not in self._taken)


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1)
    return f" (it holds {near[0]})" if near else ""
