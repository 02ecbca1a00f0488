"""The contents of the weight memory, filled layer by layer."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class WeightImage:
    """Rows of weights for groups of `lanes` outputs, each layer once."""

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._blocks: list[NDArray] = []
        self._known: dict[Hashable, int] = {}
        self.words = 0

    def place(self, key: Hashable, rows: NDArray) -> int:
        """The address of a matrix (rows, outputs): all rows of the first group, then of the next.

        The same `key` stands for the same matrix, which is stored once.
        """
        if key not in self._known:
            count, outputs = rows.shape
            groups = rows.reshape(count, outputs // self._lanes, self._lanes).swapaxes(0, 1)
            self._known[key] = self.words
            self._add(groups.reshape(-1, self._lanes))
        return self._known[key]

    def place_constants(
        self, key: Hashable, values: Sequence[int], groups: int, dims: int, align: int
    ) -> int:
        """The address, a multiple of `align`, for an operation that reads the attention state:
        constant n of group g is ``groups * dims * (n + 1) + g * dims`` words behind it, so that the
        low bits of an event's address are its address in the state. The words in front of the
        constants may be those of other layers, as events do not read them."""
        if key not in self._known:
            span = groups * dims
            base = -(-max(0, self.words - span) // align) * align
            first = base + span - self.words
            block = np.zeros((first + span * len(values) - dims + 1, self._lanes), np.int64)
            for n, value in enumerate(values):
                block[first + span * n : first + span * (n + 1) : dims] = value
            self._known[key] = base
            self._add(block)
        return self._known[key]

    def _add(self, block: NDArray) -> None:
        self._blocks.append(block)
        self.words += len(block)

    def image(self) -> NDArray:
        """All words, int8 (words, lanes)."""
        return np.concatenate(self._blocks).astype(np.int8)
