"""Heads of attention "ssa": what the engine knows of the core that is attached for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...cores.ssa.sampled import layout
from ...cores.ssa.sampled.schedule import CLAIM
from .head_rows import HeadShape
from .operation import PIECE_BITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...cores.ssa.core import SSA


@dataclass(frozen=True)
class StochasticHeads:
    """The heads of all layers of attention "ssa" of a network, which have the same shape.

    Parameters
    ----------
    core : the core of a head, but for its seed.
    pitches : pieces of a row in the bitmaps of "q", "k", "v" and the output "o": of one time step
        of a token, all heads.
    seeds : of each head, in the order of computation.
    """

    core: SSA
    pitches: Mapping[str, int]
    seeds: tuple[int, ...]

    @property
    def shape(self) -> HeadShape:
        """Its rows in the bitmaps."""
        core = self.core
        words = {name: self.pieces(name) for name in self.pitches}
        return HeadShape(core.steps, core.tokens, PIECE_BITS, words, self.pitches)

    def pieces(self, name: str) -> int:
        """Pieces of a head's part of a row of "q", "k", "v" or "o"."""
        return -(-self.core.width(name) // PIECE_BITS)

    def cycles(self, read_delay: int) -> int:
        """Cycles from the start of a head to its last write, for the `read_delay` of the bitmap
        memory.

        A step reads the rows of K, V and Q; the first row of Q waits until the core has turned V.
        """
        core, row = self.core, self.shape.row_words
        wait = max(0, layout.skew(core) + 1 + CLAIM - row)
        steps = core.steps * (3 * core.tokens * row + wait)
        written = self.pieces("o")
        return 1 + read_delay + steps + layout.latency(core) + (written if written > 1 else 0)
