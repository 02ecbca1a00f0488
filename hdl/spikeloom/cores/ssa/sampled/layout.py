"""How operands of the sampled engine lie in memory, and how many cycles its pipeline has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core import SSA

BLOCK_COLUMNS = 16  # columns with an address of their own: the width of the narrowest block RAM
RAM_DEPTH = 256  # and its depth


def banks(config: SSA) -> int:
    """Rounds of K and V held on chip: at least two, and as many as a block RAM has room for."""
    stride = 1 << (config.tokens - 1).bit_length()
    return max(2, min(rounds(config), RAM_DEPTH // stride))


def rounds(config: SSA) -> int:
    """Times that `steps_at_once` time steps are worked on in a run."""
    return -(-config.steps // config.steps_at_once)


def groups(config: SSA) -> int:
    """Cycles in which all queries of a time step are issued."""
    return -(-config.tokens // config.lanes)


def blocks(config: SSA, width: int) -> list[tuple[int, int]]:
    """(columns, place on the diagonal of the first) of each memory that makes up a word.

    Places start over after `head_dim` columns. Diagonals that come ready are written whole.
    """
    if config.feed == "diagonals":
        return [(width, 0)]
    found = []
    for first in range(0, width, config.head_dim):
        chunk = min(config.head_dim, width - first)
        found += [
            (min(BLOCK_COLUMNS, chunk - place), place) for place in range(0, chunk, BLOCK_COLUMNS)
        ]
    return found


def skew(config: SSA) -> int:
    """Rows by which the corner turn delays the first column of a block."""
    if config.feed == "diagonals":
        return 0
    return min(BLOCK_COLUMNS, config.head_dim, config.tokens) - 1


def value_words(config: SSA) -> int:
    """Words of V that a query needs: a second one where going around D does not go around N."""
    return 1 if config.head_dim % config.tokens == 0 else 2


def index_delay(config: SSA) -> int:
    """Cycles from issuing a query to its indices, offsets added."""
    return 1 if config.indices == "stratified" else 0


def mask_delay(config: SSA) -> int:
    """Cycles in which keys that are not admitted are taken out of the query."""
    return 0 if config.mask == "none" else 3


def rotate_levels(config: SSA) -> int:
    """Levels of the rotator, the last of which meets V."""
    return max(1, (config.head_dim - 1).bit_length())


def value_delay(config: SSA) -> int:
    """Cycles from reading K to reading V: the address of V takes three."""
    return max(3, rotate_levels(config) - 1)


def lane_delay(config: SSA) -> int:
    """Cycles from K's word to output spikes."""
    return value_delay(config) + 2


def latency(config: SSA) -> int:
    """Cycles from issuing a query to its output beat."""
    return index_delay(config) + mask_delay(config) + 1 + lane_delay(config)
