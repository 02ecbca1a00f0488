"""Golden model of `spikeloom.random.random_source`: the same numbers in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .golden_lfsr import lfsr_sequence
from .random_plan import draw_bits, draws_discarded, make_plan, scramble

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RandomSource:
    """`draws` uniform numbers in ``0..limit - 1`` per step, started with `seed`.

    Parameters are those of the component of the same name. Each `draw` continues the sequence where
    the previous one ended.
    """

    def __init__(
        self, draws: int, limit: int, seed: int, *, strategy: str = "slices", stream: int = 0
    ) -> None:
        self._limit = limit
        self._bits = draw_bits(limit)
        self._plan = make_plan(strategy, draws, self._bits, stream)
        self._states = [register.seeded(scramble(seed)) for register in self._plan.registers]
        self.draw(draws_discarded(limit))

    def draw(self, count: int) -> NDArray:
        """The numbers of the next `count` steps: (count, draws) uint32."""
        numbers = np.zeros((count, len(self._plan.slots)), np.uint64)
        if not self._bits:
            return numbers.astype(np.uint32)

        width, leap = self._plan.registers[0].width, self._plan.registers[0].leap
        sequence = lfsr_sequence(width, self._states, count * leap + width)
        weights = 1 << np.arange(width, dtype=object)
        self._states = [int(state @ weights) for state in sequence[:, count * leap :]]

        # windows[register, step, position]: state of the register in each step
        windows = np.lib.stride_tricks.sliding_window_view(sequence, width, axis=1)[:, ::leap]
        for n, (register, positions) in enumerate(self._plan.slots):
            for weight, position in enumerate(positions):
                bits = windows[register, :count, position].astype(np.uint64)
                numbers[:, n] |= bits << np.uint64(weight)
        return (numbers * np.uint64(self._limit) >> np.uint64(self._bits)).astype(np.uint32)
