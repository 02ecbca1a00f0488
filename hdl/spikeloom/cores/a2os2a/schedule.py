"""Cycle count of the `a2os2a` core, as a function of the shape and the zeros of the operands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...blocks.adder_tree import adder_tree_delay
from .score_memory import LISTS
from .state_sums import RETURN

if TYPE_CHECKING:
    from .core import A2OS2A

STATE_LATENCY = 8  # cycles from a row via an event to the output, and of the start
SUM_LATENCY = 5  # cycles from the last read of a list of scores to the output


def list_latency(config: A2OS2A) -> int:
    """Cycles from the last read of K for a query to the first of its list of scores."""
    return 5 + adder_tree_delay(config.lanes)


def cycles(config: A2OS2A, operands: Sequence[Any] | None = None, query_cycles: int = 1) -> int:
    """Cycles from `start` to the last output beat, with streams that never stall.

    Parameters
    ----------
    config : A2OS2A.
    query_cycles : cycles between tokens of Q.
    operands : q (T, N, D), k (T, N, D) and v (T, N, Dv), indexed ``[step][token][dim]``; None for
        operands without zeros, which take longest.
    """
    count = state_cycles
    if config.chosen_order == "qk":
        count = partial(score_cycles, query_cycles=query_cycles)
    if operands is None:
        ones = [[1] * config.head_dim] * config.tokens
        values = [[1] * config.value_dim] * config.tokens
        return count(config, [ones], [ones], [values], steps=config.steps)
    return count(config, *operands)


def cycle_formula(config: A2OS2A) -> str:
    """The formula of `cycles` as text; see `Core.cycle_formula`."""
    if config.chosen_order == "kv":
        return (
            f"{STATE_LATENCY} + events + waits; events: for each token, each chunk of lanes dims "
            "of K and each group of lanes dims of V, the elements of K that are not 0, if V is not "
            "all 0 there (at least 1; lanes for the first token of a sequence), and for each group "
            "and each chunk of Q its spikes (at least 1); waits: events whose word was updated in "
            f"one of the {RETURN - 1} cycles before, and outputs in successive cycles"
        )
    return (
        f"{SUM_LATENCY} + learning + queries + sums + waits; learning: max(head_dim, value_dim) / "
        "lanes for each token; queries: head_dim / lanes for each query and each token whose K and "
        "V are not all 0 (at least 1); sums: value_dim / lanes for each score of the last query "
        f"that is not 0 (at least 1), {list_latency(config) - 1} before them; waits: for the sums "
        "of the queries before"
    )


# Order kv


def state_cycles(
    config: A2OS2A, q: Sequence[Any], k: Sequence[Any], v: Sequence[Any], steps: int | None = None
) -> int:
    """Order `kv`: one cycle per event, and the cycles in which events stall.

    An event stalls until the result of an earlier event on the same word is written back. A row of
    `lanes` values without events takes one cycle. An event that completes a group of outputs in
    the cycle after another such event stalls for one cycle. Without stalls::

        sum over tokens of  sum over chunks c, groups g of max(1, nonzero K in c, if V has any in g)
                          + sum over groups g, chunks c of max(1, spikes of Q in c)
    """
    clock = 0
    completed, late = 0, 0  # the cycle of the latest complete group, and stalls of the output
    returned = {}  # for each word of the state, the first cycle in which it can be read again
    for learn, address, close in state_events(config, q, k, v, steps):
        clock += 1
        if address is not None:
            clock = max(clock, returned.get(address, 0))
            if learn:
                returned[address] = clock + RETURN
        if close:
            # This stalls the whole pipeline, so it does not change when words return.
            late += completed == clock - 1 > 0
            completed = clock
    return clock + late + STATE_LATENCY


def state_events(
    config: A2OS2A, q: Sequence[Any], k: Sequence[Any], v: Sequence[Any], steps: int | None = None
) -> Iterator[tuple[bool, tuple[int, int, int] | None, bool]]:
    """Events in order: whether they learn, the word that they read, or None, and whether they
    complete a group of outputs."""
    for step in range(steps or len(q)):
        step %= len(q)
        tokens = range(len(q[step]))
        turns = [(True, token) for token in tokens] + [(False, token) for token in tokens]
        if config.mask == "causal":
            turns = [(learn, token) for token in tokens for learn in (True, False)]
        for learn, token in turns:
            if learn:
                yield from _learn(config, k[step][token], v[step][token], fresh=token == 0)
            else:
                yield from _answer(config, q[step][token])


def _learn(config, k, v, fresh):
    for chunk in range(config.chunks):
        for group in range(config.groups):
            wanted = any(_piece(config, v, group))
            values = _piece(config, k, chunk)
            places = [n for n in range(config.lanes) if fresh or (wanted and values[n])]
            yield from ((True, (n, chunk, group), False) for n in places)
            if not places:
                yield True, None, False


def _answer(config, q):
    for group in range(config.groups):
        for chunk in range(config.chunks):
            spikes = _piece(config, q, chunk)
            places = [n for n in range(config.lanes) if spikes[n]]
            last = chunk == config.chunks - 1
            yield from ((False, (n, chunk, group), last and n == places[-1]) for n in places)
            if not places:
                yield False, None, last


def _piece(config, values, number):
    return values[number * config.lanes : (number + 1) * config.lanes]


# Order qk


def score_cycles(
    config: A2OS2A,
    q: Sequence[Any],
    k: Sequence[Any],
    v: Sequence[Any],
    steps: int | None = None,
    query_cycles: int = 1,
) -> int:
    """Order `qk`: one cycle per stored token and chunk, in parallel to the sums of the previous
    query.

    A query stalls while all lists of scores are in use; sums stall until their list is complete.
    Without stalls a sequence takes, in addition to ``N max(chunks, groups)`` cycles of learning::

        sum over queries of   chunks * tokens kept, or 1 where Q has no spike or none is kept,
                              or as long as the next query takes to arrive
        and, after the last,  groups * its scores that are not zero, at least groups
    """
    last = summed = 0
    arrived = -query_cycles  # the cycle in which the next query reached the core
    for step in range(steps or len(q)):
        # V of the previous step is needed until its last sum is complete.
        begin = max(last, summed + SUM_LATENCY - 1) if step else 0
        n = step % len(q)
        last, summed, arrived = _score_step(config, q[n], k[n], v[n], begin, arrived, query_cycles)
    return summed + SUM_LATENCY


def _score_step(config, q, k, v, begin, arrived, query_cycles):
    """The cycles of the last read of K, the last read of a list and the arrival of the next query,
    for a step that begins after cycle `begin`."""
    kept = []
    released = [0] * LISTS  # the cycle in which each list was last released
    last, summed = begin, 0

    def learn(token):
        if any(k[token]) and any(v[token]):
            kept.append(k[token])
        return max(config.chunks, config.groups)

    if config.mask == "none":
        last += sum(learn(token) for token in range(len(q)))
    for query, spikes in enumerate(q):
        if config.mask == "causal":
            last += learn(query)
        reads = len(kept) * config.chunks if any(spikes) else 0
        last = max(last, released[query % LISTS], arrived) + max(1, reads)
        arrived = max(last, arrived + query_cycles)
        scores = sum(
            any(value and spike for value, spike in zip(key, spikes, strict=True)) for key in kept
        )
        summed = max(summed, last + list_latency(config) - 1) + config.groups * max(1, scores)
        released[query % LISTS] = summed
    return last, summed, arrived
