"""Conversion between the axis order of user arrays and that of a core's ports."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from .errors import InputError
from .port import AXES

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN_AXES = "BH"  # axes of consecutive runs, unless a port has them


class AxisOrder:
    """Converts between arrays with the axes `letters` and runs of tensors with the axes of ports.

    Parameters
    ----------
    letters : a letter of `AXES` for each axis of the arrays: "TBHND".

    Raises `InputError` for letters that are unknown or repeated.
    """

    def __init__(self, letters: str) -> None:
        known = ", ".join(f"{letter} {what}" for letter, what in AXES.items())
        unknown = [letter for letter in letters if letter not in AXES]
        if unknown or len(set(letters)) != len(letters):
            raise InputError(f"axes {letters!r}: each must be one of {known}, and come once")
        self._letters = letters
        self.lead: tuple[int, ...] = ()  # extents of the axes of runs
        self._extra: list[str] = []  # their letters

    def split(self, name: str, array: NDArray, port_axes: str) -> NDArray:
        """Runs of operand `name`: (runs, *axes of the port)."""
        letters = self._letters
        if array.ndim != len(letters):
            raise InputError(
                f"{name}: shape {array.shape} has {array.ndim} axes, axes {letters!r} "
                f"{len(letters)}"
            )
        missing = [letter for letter in port_axes if letter not in letters]
        if missing:
            raise InputError(f"axes {letters!r}: {name} needs {missing[0]} ({AXES[missing[0]]})")
        extra = [letter for letter in letters if letter not in port_axes]
        for letter in extra:
            extent = array.shape[letters.index(letter)]
            if letter not in RUN_AXES and extent != 1:
                raise InputError(
                    f"{name}: {extent} {AXES[letter]} (axis {letter}), but the core takes one"
                )
        order = [letters.index(letter) for letter in (*extra, *port_axes)]
        ordered = array.transpose(order)
        lead = ordered.shape[: len(extra)]
        if self.lead not in ((), lead):
            raise InputError(f"{name}: {lead} runs along {extra}, other operands {self.lead}")
        self.lead, self._extra = lead, extra
        return ordered.reshape(prod(lead), *ordered.shape[len(extra) :])

    def join(self, stacked: NDArray, port_axes: str) -> NDArray:
        """The inverse for an output (runs, *`port_axes`); axes that only outputs have come first.

        Without operands there is one run, and no axis of runs.
        """
        extra = self._extra
        whole = stacked.reshape(*self.lead, *stacked.shape[1:])
        have = [*extra, *port_axes]
        doubled = [n for n, letter in enumerate(extra) if letter in port_axes]  # of extent 1
        whole = whole.squeeze(tuple(doubled))
        have = [letter for n, letter in enumerate(have) if n not in doubled]
        wanted = [letter for letter in have if letter not in self._letters]
        wanted += [letter for letter in self._letters if letter in have]
        return whole.transpose([have.index(letter) for letter in wanted])
