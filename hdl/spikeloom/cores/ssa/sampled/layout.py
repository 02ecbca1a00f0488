"""Memory layout and pipeline latencies of engine "sampled"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core import SSA

BLOCK_COLUMNS = 16  # columns per address: the width of the narrowest block RAM
RAM_DEPTH = 256  # depth of that block RAM
QUEUE_DELAY = 1  # cycles through the output queue


def banks(config: SSA) -> int:
    """Rounds of K and V stored on chip: at least two, and as many as fit into a block RAM.

    Only one if a run has only one and several words arrive in a beat: such short memories are LUTs.
    """
    if rounds(config) == 1 and config.feed_rate > 1:
        return 1
    stride = 1 << (feed_beats(config) - 1).bit_length()
    return max(2, min(rounds(config), RAM_DEPTH // stride))


def rounds(config: SSA) -> int:
    """Rounds of `steps_at_once` time steps in a run."""
    return -(-config.steps // config.steps_at_once)


def feed_beats(config: SSA) -> int:
    """Beats of K, and of V, in a round."""
    return -(-config.tokens // config.feed_rate)


def groups(config: SSA) -> int:
    """Cycles to issue all queries of a time step."""
    return -(-config.tokens // config.lanes)


def blocks(config: SSA, width: int) -> list[tuple[int, int]]:
    """(columns, place on the diagonal of the first column) of each memory of a word.

    Places wrap around after `head_dim` columns. If K and V arrive in diagonal order, there is one
    block.
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
    """Delay of the first column of a block in the corner turn, in rows."""
    if config.feed == "diagonals":
        return 0
    return min(BLOCK_COLUMNS, config.head_dim, config.tokens) - 1


def value_words(config: SSA) -> int:
    """Words of V that a query reads: one if N divides D, otherwise two."""
    return 1 if config.head_dim % config.tokens == 0 else 2


def index_delay(config: SSA) -> int:
    """Cycles from issuing a query to its indices, including offsets."""
    return 1 if config.indices == "stratified" else 0


def mask_delay(config: SSA) -> int:
    """Cycles of the `Admission` stage, 0 without a mask."""
    return 0 if config.mask == "none" else 3


def read_delay(config: SSA) -> int:
    """Cycles to read a word: one more to select it among those of a beat."""
    return 1 if config.feed_rate == 1 else 2


def rotate_levels(config: SSA) -> int:
    """Levels of the rotator; the last one includes the AND with V."""
    return max(1, (config.head_dim - 1).bit_length())


def value_delay(config: SSA) -> int:
    """Cycles from reading K to reading V; the address of V takes three."""
    return max(3, rotate_levels(config) - 1)


def lane_delay(config: SSA) -> int:
    """Cycles from the word of K to output spikes."""
    return value_delay(config) + 1


def latency(config: SSA) -> int:
    """Cycles from issuing a query to its output beat."""
    return (
        index_delay(config)
        + mask_delay(config)
        + read_delay(config)
        + lane_delay(config)
        + QUEUE_DELAY
    )


def queue_depth(config: SSA) -> int:
    """Beats of the output queue, so that a stream that does not stall never fills it: a power of
    two, at least 16 as in memories of LUTs."""
    return max(16, 1 << (latency(config) + 1).bit_length())
