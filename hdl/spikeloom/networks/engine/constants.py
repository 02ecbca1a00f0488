"""Constants of a layer as rows of weights that are always added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_ROWS = 16  # of a constant in each time step

Row = tuple[int, "NDArray"]
"""A factor by which lanes multiply a row, 1 or ``1 << shift``, and the row."""


def split(constants: ArrayLike, factors: Sequence[int], bits: int) -> list[NDArray] | None:
    """Rows r of signed integers of `bits` bits with ``sum of factor * r = constants``, exactly.

    `factors` are in descending order. Returns None if there are no such rows.
    """
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    rest = np.array(constants, np.int64)
    rows = []
    for n, factor in enumerate(factors):
        most = high * sum(factors[n + 1 :])
        row = np.clip(-((most - rest) // factor), low, high)
        rest = rest - factor * row
        rows.append(row)
    return None if rest.any() else rows


def step_factors(shift: int) -> Iterable[list[int]]:
    """Choices for a constant that is added in every step, fewest rows first: any number of shifted
    rows, and one that is not shifted."""
    for rows in range(1, MAX_ROWS + 1):
        yield [1 << shift] * rows
        if rows > 1:
            yield [1 << shift] * (rows - 1) + [1]


def fewest_step_rows(constants: ArrayLike, shift: int, bits: int) -> list[Row] | None:
    """The rows of the first choice of `step_factors` that is exact; None if none is."""
    for factors in step_factors(shift):
        rows = split(constants, factors, bits)
        if rows is not None:
            return list(zip(factors, rows, strict=True))
    return None


def doubled_factors(shift: int, doublings: int) -> Iterable[tuple[list[int], list[int]]]:
    """Choices for a constant, some rows of which are added before `doublings` doublings of the
    sum: factors of rows before and after, fewest rows first. Any number of rows may be shifted."""
    before: list[list[int]] = [[]]
    after: list[list[int]] = [[], [1]]
    for rows in range(1, MAX_ROWS + 1):
        shifted = [1 << shift] * rows
        after += [shifted, [*shifted, 1]]
        if doublings:
            before += [[factor << doublings for factor in choice] for choice in after[-2:]]
    if doublings:
        before.append([1 << doublings])
    return sorted(product(before, after), key=lambda choice: len(choice[0]) + len(choice[1]))


def fewest_doubled_rows(
    constants: ArrayLike, shift: int, bits: int, doublings: int
) -> tuple[list[Row], list[Row]] | None:
    """Rows before and after `doublings` doublings; None if no choice of `doubled_factors` is
    exact."""
    for before, after in doubled_factors(shift, doublings):
        rows = split(constants, [*before, *after], bits)
        if rows is not None:
            own = [factor >> doublings for factor in before] + after
            pairs = list(zip(own, rows, strict=True))
            return pairs[: len(before)], pairs[len(before) :]
    return None
