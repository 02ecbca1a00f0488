"""Cycle counts of the parts of the `ssa` core, and the queue depths that avoid stalls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...random.random_plan import START_CYCLES
from .cell_array import cell_delay
from .sampled import schedule as sampled_schedule

if TYPE_CHECKING:
    from .core import SSA

READ = 1  # cycles from issuing a read to the words at the cells
SETTLED = 8  # time steps until the period is constant


def score_period(config: SSA) -> int:
    """Cycles the score stage spends on a block of query rows."""
    return config.key_groups * (config.head_dim // config.bits)


def output_period(config: SSA) -> int:
    """Cycles the output stage spends on a block of query rows."""
    return config.key_groups * (config.value_dim // config.bits)


def block_period(config: SSA) -> int:
    """Cycles between blocks of query rows: the slower stage, or one output row per cycle."""
    return max(score_period(config), output_period(config), config.query_lanes)


def score_latency(config: SSA) -> int:
    """Cycles from the last read of a block in the score stage to its first in the output stage."""
    return READ + cell_delay(config.bits) + 1


def output_latency(config: SSA) -> int:
    """Cycles from the last read of a block in the output stage to its first row on the stream."""
    queue = 1 if config.query_lanes == 1 else 2
    return READ + cell_delay(config.key_lanes) + queue


def score_banks(config: SSA) -> int:
    """Banks of the score memory, one block of scores each, so that neither stage stalls."""
    held = score_period(config) + score_latency(config) + output_period(config)
    return -(-held // block_period(config))


def output_depth(config: SSA) -> int:
    """Depth of the output queue in blocks of rows, so that the output stage does not stall."""
    held = output_period(config) + output_latency(config) + config.query_lanes
    return -(-held // block_period(config))


def fill_period(config: SSA, operand: str) -> int:
    """Cycles to write one time step's spikes of operand "q", "k" or "v" into its memory."""
    width = config.width(operand)
    if config.by_value:
        return config.tokens // config.query_lanes * width // config.encoder_lanes
    return config.tokens * width // config.bits


def cycles(config: SSA, *, loaded: bool = True) -> int:
    """Cycles from `start` to the last output beat, for streams that never stall.

    Engine "sampled": see `sampled.schedule`. Engine "counter": ``T * N * ceil(N / cells) * max(D,
    Dv) / bits`` and a constant, if loading a time step takes no longer than processing it. This
    holds unless `cells` exceeds `tokens` and spikes arrive by rows.

    `loaded`: operands are preloaded before `start` as far as they fit (two time steps of spikes, or
    all values); otherwise their first beats arrive with `start`.
    """
    if config.engine == "sampled":
        return sampled_schedule.cycles(config, loaded=loaded)
    if config.steps > SETTLED:
        before, after = (_run_length(config, loaded, steps) for steps in (SETTLED - 1, SETTLED))
        return after + (config.steps - SETTLED) * (after - before)
    return _run_length(config, loaded, config.steps)


def cycle_formula(config: SSA) -> str:
    """The formula of `cycles` as text; see `Core.cycle_formula`."""
    if config.engine == "sampled":
        return sampled_schedule.cycle_formula(config)
    before, after = (_run_length(config, True, steps) for steps in (SETTLED - 1, SETTLED))
    period = f"{config.tokens // config.query_lanes} * {block_period(config)}"
    why = f"blocks of {config.query_lanes} queries in a time step, cycles of a block"
    if after - before != config.tokens // config.query_lanes * block_period(config):
        period, why = f"{after - before}", "cycles to load a time step"
    rest = cycles(config) - config.steps * (after - before)
    return f"{rest} + steps * {period}; {period}: {why}"


def _run_length(config, loaded, steps):
    """Cycles of the first `steps` time steps, simulated stage by stage."""
    blocks = config.tokens // config.query_lanes
    period = block_period(config)
    fills = {name: _Fill(config, name, loaded) for name in "qkv"}

    score_begin = output_begin = -1
    for step in range(steps):
        ready = 1 + max(fills["q"].filled(step), fills["k"].filled(step))
        score_begin = max(score_begin + blocks * period if step else START_CYCLES + 1, ready)
        release = score_begin + (blocks - 1) * period + score_period(config) - 1
        fills["q"].released.append(release)
        fills["k"].released.append(release)

        output_begin = max(
            score_begin + score_period(config) - 1 + score_latency(config),
            output_begin + blocks * period if step else 0,
            fills["v"].filled(step) + 1,
        )
        release = output_begin + (blocks - 1) * period + output_period(config) - 1
        fills["v"].released.append(release)
    return release + output_latency(config) + config.query_lanes - 1


class _Fill:
    """Cycles in which the two banks of an operand are filled, derived from past releases."""

    def __init__(self, config: SSA, operand: str, loaded: bool) -> None:
        self._period = fill_period(config, operand)
        self._ahead = 2 if loaded and not config.by_value else 0
        self.released = []
        self._last = 0 if config.bits < config.width(operand) else -1  # splitter's register
        if config.by_value:
            beats = 0 if loaded else config.tokens * config.width(operand)
            self._last = max(START_CYCLES + 1, beats)

    def filled(self, step: int) -> int:
        """The cycle in which the last block of `step` is written, counted from `start`."""
        if step < self._ahead:
            return -1
        begin = max(self._last, self.released[step - 2] if step >= 2 else -1) + 1
        self._last = begin + self._period - 1
        return self._last
