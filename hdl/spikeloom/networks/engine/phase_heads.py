"""Heads of attention "spiked": what the engine knows of the cores that are attached for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...cores.spiked.code import code_bits
from ...cores.spiked.schedule import last_beat_cycles
from .head_rows import HeadShape
from .operation import PIECE_BITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ...cores.spiked.core import Spiked

LOADED = 8  # cycles until what was taken last may be used


@dataclass(frozen=True)
class PhaseHeads:
    """The heads of all layers of attention "spiked" of a network, which have the same shape.

    Parameters
    ----------
    cores : of a head; one for each choice of scales.
    pitches : words of a token in the memory of codes, of "q", "k", "v" and the output "o".
    """

    cores: tuple[Spiked, ...]
    pitches: Mapping[str, int]

    @property
    def shape(self) -> HeadShape:
        """Its rows in the memory of codes: tokens one after the other, so that the core loads the
        operands side by side."""
        core = self.cores[0]
        widths = {"q": core.head_dim, "k": core.head_dim, "v": core.value_dim, "o": core.value_dim}
        words = {name: -(-width // PIECE_BITS) for name, width in widths.items()}
        bits = PIECE_BITS * code_bits(core.steps)
        return HeadShape(core.tokens, 1, bits, words, self.pitches, whole=True)

    def load_cycles(self, read_delay: int) -> int:
        """Cycles from the start of a head until the core has its operands, at most. It takes the
        rows of a token side by side, code by code, with a further one of V."""
        core, words = self.cores[0], self.shape.row_words
        token = max(3 * words + 1, core.head_dim + 1, core.value_dim + 2)
        return core.tokens * token + token + 3 * words + read_delay + LOADED

    def cycles(self, read_delay: int, core: int, q: NDArray, v: NDArray) -> int:
        """Cycles from the start of a head to its last write, for the `read_delay` of the memory of
        codes; q (N, D) and v (N, Dv) are true where there is a spike."""
        words = self.shape.words["o"]
        last = last_beat_cycles(self.cores[core], q.tolist(), v.tolist(), pace=words)[-1]
        return self.load_cycles(read_delay) - 1 + last + (words if words > 1 else 0)
