"""Cycle count of the `int8_linear` core, and the length of its queue."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from ...blocks.dot_product import dot_product_delay
from .requantiser import requantiser_delay
from .row_output import RowOutput
from .sum_stage import SumStage

if TYPE_CHECKING:
    from .core import Int8Linear

CONSTANTS = 2  # cycles of a read of bias and scale


def cycles(config: Int8Linear) -> int:
    """Cycles from `start` to the last output beat, with streams that never stall."""
    return outside(config) + config.tokens * config.output_dim * config.chunks


def cycle_formula(config: Int8Linear) -> str:
    """The formula of `cycles` as text; see `Core.cycle_formula`."""
    return f"{outside(config)} + tokens * output_dim * ceil(input_dim / lanes)"


def outside(config: Int8Linear) -> int:
    """Cycles of a run beyond its reads; the last read is one of them, and the first cycle is that
    of `start`."""
    return SumStage.start + latency(config) - 1


def latency(config: Int8Linear) -> int:
    """Cycles from the last read of a beat to the beat at the output."""
    values = SumStage.delay + dot_product_delay(config.lanes)
    return values + CONSTANTS + requantiser_delay(config.scale_bits) + RowOutput.delay


def places(config: Int8Linear) -> int:
    """Beats in the queue of the output, so that no sum waits for a place while the consumer takes a
    beat in each cycle.

    A place is taken with the last read of its beat and free again `under_way` cycles later. In
    that time, no more beats may be read than have places.
    """
    under_way = latency(config) + RowOutput.reuse
    beats = -(-config.output_dim // config.lanes)  # of a token
    token = config.output_dim * config.chunks
    for number in count(1):
        # The shortest time of `number` beats: whole tokens, then the shortest sequence of beats.
        tokens, rest = divmod(number, beats)
        left = beats - rest  # of the token, which are whole beats
        shortest = (tokens + bool(rest)) * token - bool(rest) * left * config.lanes * config.chunks
        if shortest >= under_way:
            return number
    raise AssertionError
