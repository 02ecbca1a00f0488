"""Cycle count of the `spiked` core, as a function of the spikes of the operands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .component import OUTPUT_BANKS, group_banks
from .output_encoder import OutputEncoder
from .phase_encoder import PhaseEncoder
from .trace_product import product_delay
from .woss import woss_delay

if TYPE_CHECKING:
    from .core import Spiked

BEGIN = 1  # cycles in which a product learns that its next part may start
NEXT_TENSOR = 4  # cycles from an event memory's last event of a tensor to the next one's first


def product_cycles(config: Spiked, events: Any) -> int:
    """Cycles of a `TraceProduct` line by line, from its first event to its last, for `events` in
    each line."""
    product = _Product(config)
    for number, count in enumerate(events, 1):
        product.line(count)
        if number % config.lanes == 0:
            product.end_part()
    return product.end + 1


def query_events(config: Spiked, q: Sequence[Any] | None = None) -> list[int]:
    """Events of each query of one head; `q` (N x D) is true where Q spikes (default:
    everywhere)."""
    queries = q or [[True] * config.head_dim] * config.tokens
    return [line_events(query, config.events) for query in queries]


def value_events(config: Spiked, v: Sequence[Any] | None = None) -> list[int]:
    """Events of the line of ones and of each dimension of V; `v` (N x Dv) is true where V
    spikes."""
    rows = v or [[True] * config.value_dim] * config.tokens
    lines = [[True] * config.tokens, *zip(*rows, strict=True)]
    return [line_events(line, config.events) for line in lines]


def line_events(spikes: Sequence[Any], ways: int) -> int:
    """Events of a line of neurons in an `EventMemory`: the spikes of the part that has most."""
    return max(sum(map(bool, spikes[way::ways])) for way in range(ways))


def last_blocks(config: Spiked, events: Any = (1,)) -> int:
    """Cycles in which the last sums leave, for lines with `events`: the blocks of a group, or one
    for a silent line."""
    return config.group_blocks[-1] if events[-1] else 1


def probabilities_delay(config: Spiked) -> int:
    """Cycles from the last block of a row's sums, and its time in WOSS, to its probabilities in
    memory."""
    return product_delay(config) + PhaseEncoder.delay + woss_delay(config) - 1


def output_latency(config: Spiked, events: Any = (1,)) -> int:
    """Cycles from an output product's last event of a group to the first output beat."""
    blocks = config.group_blocks[0] if events[-1] else 1
    return product_delay(config) + OutputEncoder.delay + blocks + 1


def cycles(config: Spiked, q: Sequence[Any] | None = None, v: Sequence[Any] | None = None) -> int:
    """Cycles from `start` to the last output beat, with preloaded operands and without stalls.

    `q` (heads * N x D) and `v` (heads * N x Dv) are true where there is a spike (default:
    everywhere, the worst case).
    """
    return last_beat_cycles(config, q, v)[-1]


def cycle_formula(config: Spiked) -> str:
    """The formula of `cycles` as text; see `Core.cycle_formula`."""
    blocks = config.group_blocks[0]
    delay = probabilities_delay(config) + output_latency(config) + blocks
    return (
        f"max(scores + outputs of the last group, scores of the first group + outputs) + waits; "
        f"scores: for each query and each of ceil(tokens / lanes) groups of keys, the query's "
        f"events (at least {blocks}); outputs: for each group of queries, the events of a line of "
        f"ones and of each dim of V (at least {blocks} each); events: the spikes of the fullest of "
        f"{config.events} equal parts of a line; waits: {delay} from scores to outputs, and for "
        "free buffers"
    )


def interval(
    config: Spiked, q: Sequence[Any] | None = None, v: Sequence[Any] | None = None
) -> float:
    """Average cycles between consecutive heads with the same spikes.

    The slowest stage determines it: loading, with one cycle per code; a product, with one per event
    and group; or, for small heads, the time that a head or a group of queries occupies the memory
    between two stages, divided by its banks.
    """
    first, last = 4, 8
    many = replace(config, heads=last + 1)
    ends = last_beat_cycles(many, list(q or []) * many.heads, list(v or []) * many.heads)
    return (ends[last] - ends[first]) / (last - first)


def last_beat_cycles(
    config: Spiked,
    q: Sequence[Any] | None = None,
    v: Sequence[Any] | None = None,
    pace: int = 1,
) -> list[int]:
    """The cycle of each head's last output beat, counted from `start`, where a beat is taken `pace`
    cycles after the one before at the earliest."""
    tokens = config.tokens
    loads = tokens * config.head_dim, tokens * (config.value_dim + 1)
    scores, outputs = _Product(config), _Product(config)
    scores.wait(1 + BEGIN)
    rows_left, sent, ends, loaded = 0, [], ([], []), ([], [])
    released: list[int] = []  # banks of probabilities

    for head in range(config.heads):
        rows = slice(head * tokens, (head + 1) * tokens)
        queries, values = query_events(config, q and q[rows]), value_events(config, v and v[rows])

        # Two heads are loaded before start; a later one is loaded once its bank is released.
        for product, end, done, load in zip((scores, outputs), ends, loaded, loads, strict=True):
            begin = max(done[-1], end[head - 2]) if head > 1 else 0
            done.append(begin + load if head > 1 else -NEXT_TENSOR)
            product.wait(done[-1] + NEXT_TENSOR)
            if end:
                product.wait(end[-1] + NEXT_TENSOR)

        for first in range(0, tokens, config.lanes):
            group = queries[first : first + config.lanes]

            # Scores wait for a bank of probabilities. Rows leave WOSS one after the other.
            if len(released) >= group_banks(config):
                scores.wait(released[-group_banks(config)] + 2 + BEGIN)
            for count in group:
                scores.line(count)
                arrived = scores.end + last_blocks(config, [count])
                rows_left = max(arrived, rows_left) + (config.blocks if count else 1)
            scores.end_part()

            # Outputs wait for the probabilities and for a bank of output codes.
            outputs.wait(rows_left + probabilities_delay(config) + BEGIN)
            if len(sent) >= OUTPUT_BANKS:
                outputs.wait(sent[-OUTPUT_BANKS] + 1 + BEGIN)
            for count in values:
                outputs.group(count, config.group_blocks[0])
            outputs.end_part()
            released.append(outputs.end)
            begin = outputs.end + output_latency(config, values)
            begin = max([begin, *(n + max(2, pace) for n in sent[-1:])])
            sent.append(begin + pace * (len(group) - 1))
        ends[0].append(scores.end)
        ends[1].append(outputs.end)
    return sent[config.groups - 1 :: config.groups]


class _Product:
    """The cycles in which a `TraceProduct` issues events; `end` is the cycle of the latest one."""

    def __init__(self, config: Spiked) -> None:
        self._config = config
        self._leaving = 0
        self._earliest = 0
        self.end = -1

    def wait(self, cycle: int) -> None:
        """Issue nothing before `cycle`; the sums that are leaving continue to leave."""
        gap = max(0, cycle - self.end - 1)
        self.end += gap
        self._leaving = max(0, self._leaving - gap)

    def end_part(self) -> None:
        """The latest event is the last of a part."""
        self._earliest = self.end + 1 + BEGIN

    def line(self, events: int) -> None:
        """Issue a line of events for all groups; a line without spikes takes one cycle."""
        for blocks in self._config.group_blocks if events else [0]:
            self.group(events, blocks)

    def group(self, events: int, blocks: int) -> None:
        """Issue a line of events for one group, whose sums leave in `blocks` cycles.

        The last event stalls until the sums of the previous group have left.
        """
        self.wait(self._earliest)
        self.end += max(events, self._leaving, 1)
        self._leaving = blocks if events else 0
