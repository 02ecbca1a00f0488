"""Cycle count of engine "sampled"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....random.random_plan import START_CYCLES
from .layout import (
    banks,
    feed_beats,
    groups,
    index_delay,
    latency,
    mask_delay,
    rounds,
    skew,
    value_delay,
)

if TYPE_CHECKING:
    from ..core import SSA

CLAIM = 2  # cycles from filling (releasing) a bank to the first read (write) of it


def cycles(config: SSA, *, loaded: bool = True) -> int:
    """Cycles from `start` to the last output beat, for streams that never stall.

    ``rounds * groups`` and a constant, if loading K and V takes no longer than processing them.
    `loaded`: as many rounds as there are banks are preloaded before `start`.
    """
    total = rounds(config)
    if total <= _settled(config):
        return _run_length(config, loaded, total)
    return _run_length(config, loaded, _settled(config)) + (
        total - _settled(config)
    ) * _round_period(config, loaded)


def cycle_formula(config: SSA) -> str:
    """The formula of `cycles` as text; see `Core.cycle_formula`."""
    period = _round_period(config, loaded=True)
    rest = cycles(config) - rounds(config) * period
    formula = f"{rest} + ceil(steps / steps_at_once) *"
    if period == groups(config) and not config.by_value:
        return f"{formula} ceil(tokens / lanes)"
    return f"{formula} {period}; {period}: cycles to compute or to load a round"


def _settled(config):
    """Rounds until the period is constant."""
    return 8 + 2 * banks(config)


def _round_period(config, loaded):
    """Cycles between rounds, once they are constant."""
    before, after = (_run_length(config, loaded, _settled(config) - n) for n in (1, 0))
    return after - before


def _run_length(config, loaded, total):
    """Cycles of the first `total` rounds, simulated one by one."""
    begin = START_CYCLES + 1
    before_read = index_delay(config) + mask_delay(config)
    restart = 2 if config.indices == "stratified" else 0
    k = _Fill(config, "k", loaded, begin)
    v = _Fill(config, "v", loaded, begin)
    query_ready, query_period = begin, 1
    if config.by_value:
        query_period = config.head_dim // config.bits
        query_ready = _first_row(config, "q", loaded, begin)

    last = begin - 1 - restart
    for round_ in range(total):
        first = max(
            last + 1 + restart, query_ready, k.filled(round_) + CLAIM, v.filled(round_) + CLAIM
        )
        last = first + (groups(config) - 1) * query_period
        query_ready = last + query_period
        k.released.append(last + before_read)
        v.released.append(last + before_read + value_delay(config))
    return last + latency(config)


def _first_row(config, operand, loaded, begin):
    """Cycle in which the encoders have completed the first row."""
    beats = 0 if loaded else config.tokens * config.width(operand)
    return max(begin, beats) + config.width(operand) // config.bits + 1


class _Fill:
    """Cycles in which the banks of an operand are filled, derived from past releases."""

    def __init__(self, config: SSA, operand: str, loaded: bool, begin: int) -> None:
        self._banks = banks(config)
        self._ahead = self._banks if loaded and not config.by_value else 0
        self._row_period = 1
        self._row_ready = 0
        if config.by_value:
            self._row_period = config.width(operand) // config.bits
            self._row_ready = _first_row(config, operand, loaded, begin)
        self._rows = feed_beats(config)
        self._skew = skew(config)
        self._row_free = 0  # cycle in which the corner turn has finished the previous round
        self.released = []

    def filled(self, round_: int) -> int:
        """The cycle in which the last word of `round_` is written, counted from `start`."""
        if round_ < self._ahead:
            return -1
        freed = self.released[round_ - self._banks] if round_ >= self._banks else -CLAIM
        begin = max(self._row_ready, freed + CLAIM, self._row_free)
        last_row = begin + (self._rows - 1) * self._row_period
        self._row_ready = last_row + self._row_period
        self._row_free = last_row + self._skew + 1
        return self._row_free
