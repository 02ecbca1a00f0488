"""Checks of the values in a network's description."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, echo

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
WEIGHT_BITS = (4, 6, 8, 10, 12, 14, 16)


def fields_of(
    entry: Any, where: str, what: str, required: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, Any]:
    """The fields of a JSON object. Raises `InputError` if one is missing or unknown."""
    required, optional = tuple(required), tuple(optional)
    if not isinstance(entry, Mapping):
        raise InputError(f"{where}: {what} is {echo(entry)}, not an object; give its fields")
    for name in entry:
        if name not in (*required, *optional):
            known = ", ".join((*required, *optional))
            raise InputError(f"{where}: {what} has an unknown field {echo(name)}; fields: {known}")
    for name in required:
        if name not in entry:
            raise InputError(f"{where}: {what} has no field {name!r}; add it")
    return dict(entry)


def whole(value: Any, low: int, high: int, where: str, what: str) -> int:
    """`value`, a whole number in ``low..high``, or `InputError`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(
            f"{where}: {what} is {echo(value)}; it must be a whole number in {low}..{high}"
        )
    if not low <= value <= high:
        raise InputError(f"{where}: {what} is {echo(value)}; it must be in {low}..{high}")
    return value


def one_of(value: Any, allowed: Sequence[int], where: str, what: str) -> int:
    """`value`, one of the numbers `allowed`, or `InputError`."""
    if not isinstance(value, int) or value not in allowed:
        numbers = ", ".join(map(str, allowed))
        raise InputError(f"{where}: {what} is {echo(value)}; it must be one of {numbers}")
    return value


def sizes(value: Any, count: int, high: int, where: str, what: str) -> tuple[int, ...]:
    """`count` sizes in ``1..high``, or `InputError`."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != count:
        raise InputError(f"{where}: {what} is {echo(value)}; it must be a list of {count} numbers")
    return tuple(whole(one, 1, high, where, what) for one in value)


def line(value: Any, longest: int, where: str, what: str) -> str:
    """`value`, a printable text of one line, or `InputError`."""
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise InputError(
            f"{where}: {what} is {echo(value)}; it must be a line of at most {longest} characters"
        )
    return value


def layer_name(value: Any, where: str) -> str:
    """`value`, the name of a layer, or `InputError`."""
    if not isinstance(value, str) or not LAYER_NAME.fullmatch(value) or value == "image":
        raise InputError(
            f"{where}: {echo(value)} is not a name of a layer; use a letter, then letters, digits, "
            "'_', '.' or '-', at most 64 in all, and not 'image'"
        )
    return value


def integers(array: Any, rank: int, dtype: type, where: str, what: str) -> NDArray:
    """`array` as an immutable array of integers of `dtype` with `rank` axes, or `InputError`."""
    found = np.asarray(array)
    if found.dtype.kind not in "iu":
        raise InputError(f"{where}: {what} holds {found.dtype}; round it to integers")
    if found.ndim != rank or 0 in found.shape:
        raise InputError(f"{where}: {what} has shape {found.shape}; it must have {rank} axes")
    limits = np.iinfo(dtype)
    if found.min() < limits.min or found.max() > limits.max:
        raise InputError(
            f"{where}: {what} has values from {found.min()} to {found.max()}; they must fit in "
            f"{np.dtype(dtype).name}"
        )
    if found.dtype == dtype and found.flags.c_contiguous and not found.flags.writeable:
        return found  # several layers may share a tensor of a file
    copy = np.array(found, dtype, order="C")
    copy.flags.writeable = False
    return copy


def weight_type(bits: Any) -> type:
    """The type of weights of `bits` bits in memory and in a file."""
    return np.int16 if isinstance(bits, int) and bits > 8 else np.int8


def weight_matrix(array: Any, bits: Any, where: str) -> NDArray:
    """A weight matrix (in, out) whose values fit in `bits` bits, or `InputError`."""
    one_of(bits, WEIGHT_BITS, where, "weight_bits")
    weight = integers(array, 2, weight_type(bits), where, "weight")
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    wrong = (weight < low) | (weight > high)
    if wrong.any():
        at = [int(n) for n in np.argwhere(wrong)[0]]
        raise InputError(
            f"{where}: weight {weight[tuple(at)]} at {at} is not in {low}..{high}; clip it or "
            f"raise weight_bits ({bits})"
        )
    return weight
