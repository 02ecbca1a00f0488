"""The exact cycles of a program, from the spikes of every layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..graph import INPUT
from ..signals import Spikes
from .bitmap_memory import BitmapMemory
from .code_encoder import CodeEncoder, load_cycles
from .lanes import Lanes
from .lister import Lister
from .operation import PIECE_BITS, Operation, Target
from .replay import Replay
from .sequencer import Sequencer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .program import Program

# From the cycle in which a list is closed to its first entry in a replay, and between replays.
LIST_TO_REPLAY = 2
# From the last entry of an operation in the replay to the end of the operation, without the
# `read_delay` of weights.
DRAIN = Replay.delay + 2 + Lanes.delay + 2 + BitmapMemory.write_delay
# From the last piece that is written to the end of its operation.
PIECE_DRAIN = 2 + BitmapMemory.write_delay
OUTSIDE = 2  # cycles of an image before the first operation and after the last


def image_cycles(
    program: Program, spikes: Mapping[str, NDArray], pixels: NDArray
) -> dict[str, int]:
    """Cycles of each layer, for an image that is present and streams without stalls. Parameters as
    for `operation_counts`."""
    total: dict[str, int] = {}
    for operation, cycles in operation_counts(program, spikes, pixels):
        total[operation.name] = total.get(operation.name, 0) + cycles
    return total


def operation_counts(
    program: Program, spikes: Mapping[str, NDArray], pixels: NDArray
) -> Iterator[tuple[Operation, int]]:
    """Operations and the cycles of each, for an image that is present and streams without stalls.

    Parameters
    ----------
    program : Program.
    spikes : by layer, its output (T, N, D).
    pixels : the image as patches (N, pixels), of `pixel_bits` bits.
    """
    for operation in program.operations:
        cycles = program.table.operation_words + Sequencer.fetch_overhead
        if operation.target == Target.POOL:
            cycles += 2 + program.read_delay + operation.pieces + PIECE_DRAIN
        elif operation.target == Target.DRAW:
            assert program.heads is not None
            cycles += program.heads.cycles(program.read_delay) + PIECE_DRAIN
        elif operation.target == Target.HEAD:
            cycles += head_cycles(program, operation, spikes) + PIECE_DRAIN
        else:
            cycles += operation_cycles(program, operation, events(operation, spikes, pixels))
        cycles += 1 + 2 * operation.logits
        if operation.learn and not operation.state:
            cycles += program.steps << program.index_bits
        yield operation, cycles


def head_cycles(program: Program, operation: Operation, spikes: Mapping[str, NDArray]) -> int:
    """Cycles of a head of attention "spiked"."""
    heads = program.phase_heads
    assert heads is not None
    q, _, v = operation.inputs
    widths = heads.cores[0].head_dim, heads.cores[0].value_dim
    head = operation.dims[0] // widths[0]
    fires = [
        np.logical_or.reduce(spikes[name][:, :, head * width : (head + 1) * width])
        for name, width in zip((q, v), widths, strict=True)
    ]
    return heads.cycles(program.read_delay, operation.core, *fires)


def worst_cycles(program: Program) -> dict[str, int]:
    """Upper bound of the cycles of each layer: every pixel and every neuron is always 1."""
    graph = program.image.network
    spikes = {}
    for name, signal in graph.signals.items():
        if isinstance(signal, Spikes):
            shape = (signal.steps, signal.tokens, signal.dims)
            spikes[name] = np.broadcast_to(np.int8(-1), shape)  # every bit is set
            if signal.shift:
                # A neuron spikes once; at the same step, so that most pieces have no event.
                first = np.arange(signal.steps) == 0
                spikes[name] = spikes[name] * first[:, None, None]
    shape = (program.image.patches, len(program.image.columns.places))
    return image_cycles(program, spikes, np.broadcast_to(np.uint8(255), shape))


def events(operation: Operation, spikes: Mapping[str, NDArray], pixels: NDArray) -> NDArray:
    """Events of each piece that an operation reads: (tokens, rows, parts, words), where a word
    that is read for two digits is two."""
    parts = [
        # (rows, tokens, places, dims)
        one if operation.window.shared else one.reshape(*one.shape[:2], 1, -1)
        for one in _bits(operation, spikes, pixels)
    ]
    last = operation.first_token + operation.tokens
    bits = np.concatenate(parts, axis=2)[:, operation.first_token : last]
    count = np.zeros((*bits.shape[:3], operation.part_words // operation.digits), np.int64)
    if operation.columns:
        places = np.array(operation.columns) // PIECE_BITS
        order = np.argsort(places, kind="stable")
        words, starts = np.unique(places[order], return_index=True)
        count[..., words] = np.add.reduceat(bits[..., order], starts, axis=-1, dtype=np.int64)
    return count.transpose(1, 0, 2, 3).repeat(operation.digits, axis=-1)


def _bits(
    operation: Operation, spikes: Mapping[str, NDArray], pixels: NDArray
) -> Iterator[NDArray]:
    """The bits of each part that an operation reads: (rows, tokens, places, dims)."""
    if operation.inputs == (INPUT,):
        planes = np.arange(operation.rows)[::-1]
        windows = operation.window.take(pixels[None], operation.border or 0)
        yield (windows >> planes[:, None, None, None]) & 1
        return
    if operation.currents:
        # One event for each place in the grid.
        height, width = operation.window.size
        tokens = height * width if operation.window.windows else operation.tokens
        places = np.ones((operation.rows, tokens, 1), int)
        yield from [operation.window.take(places)] * operation.parts
        return
    low, high = operation.dims
    for name in operation.inputs:
        windows = operation.window.take(spikes[name][:, :, low:high])
        if operation.codes:
            # The last step first; with a list for each row, rows are tokens.
            steps = operation.tokens if operation.by_row else operation.rows
            windows = windows[:steps][::-1]
            yield abs(windows.swapaxes(0, 1) if operation.by_row else windows)
        else:
            yield windows[: operation.rows] >> operation.plane & 1


def operation_cycles(program: Program, operation: Operation, count: NDArray) -> int:
    """Cycles from the start of an operation to its end, for the events of each piece.

    A list is written one entry per cycle, with a cycle more for a piece without events or with a
    tail. Meanwhile the lists before are replayed once for each group.
    """
    fixed = np.array([operation.fixed_entries])
    if operation.by_row:
        rows = [len(operation.head), *[len(operation.following)] * (operation.rows - 1)]
        fixed, count = np.array(rows * operation.tokens), count.reshape(-1, 1, *count.shape[2:])
    lengths = count.sum((1, 2, 3)) + fixed
    pauses = count == 0
    if operation.tail:
        pauses[:, -1, -1, -1] = True
    listing = lengths + pauses.sum((1, 2, 3))

    ring = Ring(program)
    # The cycle in which the lister takes the first piece of a token.
    listed = 2 + program.read_delay
    for cycles, length in zip(listing.tolist(), lengths.tolist(), strict=True):
        listed = ring.begin(listed) + cycles  # the cycle of its last entry
        ring.close(listed + Lister.delay - 1, length, operation.groups)
    encoding = 0
    if operation.target == Target.CODES:
        encoding = 1 + load_cycles(program.lanes) + CodeEncoder.delay(program.steps)
    return ring.released[-1] + DRAIN + program.read_delay + encoding


class Ring:
    """The event lists of an operation, see `Replay`: the cycles in which each one begins, is closed
    and released."""

    def __init__(self, program: Program) -> None:
        self._lists, self._depth = program.lists, program.list_depth
        self._longest = program.longest_list
        self._begun = -2
        self._closed: list[int] = []
        self._lengths: list[int] = []
        self.released: list[int] = []

    def begin(self, cycle: int) -> int:
        """The first cycle from `cycle` on in which a list may begin."""
        first = max(cycle, self._begun + 2)
        if len(self.released) >= self._lists:
            first = max(first, self.released[-self._lists] + 1)
        # The counts of open lists and of entries follow two cycles later.
        changes = [one + 2 for one in (*self._closed[-2:], *self.released[-self._lists :])]
        for self._begun in sorted([first, *(one for one in changes if one > first)]):
            if self._fits(self._begun - 2):
                break
        return self._begun

    def _fits(self, cycle: int) -> bool:
        """Whether a list fits behind those that are present after `cycle`."""
        opened = sum(one > cycle for one in self._closed[-2:])
        recent = slice(-self._lists, None)
        used = sum(
            length
            for length, closed, released in zip(
                self._lengths[recent], self._closed[recent], self.released[recent], strict=True
            )
            if closed <= cycle < released
        )
        return opened < 2 and used + (opened + 1) * self._longest <= self._depth

    def close(self, cycle: int, length: int, groups: int) -> None:
        """The list that began is closed, and replayed for all groups after the one before."""
        first = max(cycle, self.released[-1] if self.released else -1) + LIST_TO_REPLAY
        self._closed.append(cycle)
        self._lengths.append(length)
        self.released.append(first + groups * length - 1)
