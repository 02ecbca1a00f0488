"""Cycle count of the `spiked` core, as a function of the spikes of the operands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .output_encoder import OutputEncoder
from .phase_encoder import PhaseEncoder
from .trace_product import TraceProduct
from .woss import Woss

if TYPE_CHECKING:
    from .core import Spiked

NEXT_TENSOR = 3  # cycles from an event memory's last event of a tensor to the next one's first


def product_clocks(config: Spiked, spikes: Any, leaving: int = 0) -> int:
    """Cycles of a `TraceProduct` from its first event to its last, for `spikes` in each line.

    The spikes of a line are issued once per group of lanes; a line without spikes takes one cycle.
    The last event of a group stalls until the sums of the previous group have left, `encoders` per
    cycle. `leaving` is the number of blocks still to leave at the first event.
    """
    clocks = 0
    for count in spikes:
        for size in config.group_blocks if count else [0]:
            clocks += max(count, leaving, 1)
            leaving = size
    return clocks


def query_spikes(config: Spiked, q: Sequence[Any] | None = None) -> list[int]:
    """Spikes of each query of one head; `q` (N x D) is true where Q spikes (default:
    everywhere)."""
    return [sum(map(bool, query)) for query in q or [[True] * config.head_dim] * config.tokens]


def value_spikes(config: Spiked, v: Sequence[Any] | None = None) -> list[int]:
    """Spikes of the line of ones and of each dimension of V; `v` (N x Dv) is true where V
    spikes."""
    rows = v or [[True] * config.value_dim] * config.tokens
    return [config.tokens, *(sum(map(bool, dim)) for dim in zip(*rows, strict=True))]


def last_blocks(config: Spiked, spikes: Any = (1,)) -> int:
    """Cycles in which the last sums leave, for lines with `spikes`: the blocks of a group, or one
    for a silent line."""
    return config.group_blocks[-1] if spikes[-1] else 1


def score_latency(config: Spiked, spikes: Any = (1,)) -> int:
    """Cycles from a score product's last event to the first of the output product."""
    rows_leaving = config.blocks if any(spikes) else 1
    return (
        TraceProduct.delay
        + PhaseEncoder.delay
        + Woss.delay
        + last_blocks(config, spikes)
        + rows_leaving
        - 1
    )


def output_latency(config: Spiked, spikes: Any = (1,)) -> int:
    """Cycles from an output product's last event to the first output beat."""
    return TraceProduct.delay + OutputEncoder.delay + last_blocks(config, spikes) + 1


def cycles(config: Spiked, q: Sequence[Any] | None = None, v: Sequence[Any] | None = None) -> int:
    """Cycles from `start` to the last output beat, with preloaded operands and without stalls.

    For one head this is the sum of: spikes of Q times groups of lanes; spikes of V plus one per
    token, times groups; one cycle per line without spikes; one per output token; and a constant.
    `q` (heads * N x D) and `v` (heads * N x Dv) are true where there is a spike (default:
    everywhere, the worst case).
    """
    return beat_clocks(config, q, v)[-1]


def interval(
    config: Spiked, q: Sequence[Any] | None = None, v: Sequence[Any] | None = None
) -> float:
    """Average cycles between consecutive heads with the same spikes.

    The slowest stage determines it: loading, with one cycle per code; a product, with one per event
    and group; or, for small heads, half the time that a head occupies one of the double-buffered
    memories between stages.
    """
    first, last = 4, 8
    many = replace(config, heads=last + 1)
    ends = beat_clocks(many, list(q or []) * many.heads, list(v or []) * many.heads)
    return (ends[last] - ends[first]) / (last - first)


def beat_clocks(
    config: Spiked, q: Sequence[Any] | None = None, v: Sequence[Any] | None = None
) -> list[int]:
    """The cycle of each head's last output beat, counted from `start`."""
    tokens = config.tokens
    loads = tokens * config.head_dim, tokens * (config.value_dim + 1)
    scores, outputs = _Product(config), _Product(config)
    known, sent, loaded = [], [], ([], [])

    for head in range(config.heads):
        rows = slice(head * tokens, (head + 1) * tokens)
        queries, values = query_spikes(config, q and q[rows]), value_spikes(config, v and v[rows])

        # Two heads are loaded before start; a later one is loaded once its bank is released.
        for product, done, load in zip((scores, outputs), loaded, loads, strict=True):
            begin = max(done[-1], product.ends[head - 2]) if head > 1 else 0
            done.append(begin + load if head > 1 else -NEXT_TENSOR)

        end = scores.run(queries, 1, loaded[0][head] + NEXT_TENSOR, *_freed(outputs.ends, head))
        # Silent rows leave one by one after those of the previous head.
        behind = [known[-1] + tokens] if known and not any(queries) else []
        known.append(max([end + score_latency(config, queries), *behind]))

        end = outputs.run(values, known[-1], loaded[1][head] + NEXT_TENSOR, *_freed(sent, head))
        begin = max([end + output_latency(config, values), *(end + 2 for end in sent[-1:])])
        sent.append(begin + tokens - 1)
    return sent


def _freed(ends, head):
    """The cycle in which the next stage releases the bank that `head` needs."""
    return [ends[head - 2] + 1] if head > 1 else []


class _Product:
    """A `TraceProduct` that processes one head after the other; `ends`: the cycle of each last
    event."""

    def __init__(self, config: Spiked) -> None:
        self._config = config
        self._leaving = 0
        self.ends: list[int] = []

    def run(self, spikes: Any, *not_before: int) -> int:
        """Append the end of a head's product, which begins as early as possible."""
        begin = max([*not_before, *(end + NEXT_TENSOR for end in self.ends[-1:])])
        gone = begin - self.ends[-1] - 1 if self.ends else 0
        leaving = max(0, self._leaving - gone)
        self.ends.append(begin - 1 + product_clocks(self._config, spikes, leaving))
        self._leaving = last_blocks(self._config, spikes)
        return self.ends[-1]
