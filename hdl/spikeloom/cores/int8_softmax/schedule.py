"""Cycle count of the `int8_softmax` core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...blocks.dot_product import dot_product_delay
from .normaliser import Normaliser
from .score_stage import ScoreStage
from .value_stage import ValueStage

if TYPE_CHECKING:
    from .core import Int8Softmax

# Cycles from the last token of a group to that of the next, beyond one for each lane, if the group
# has few tokens: until its outputs have been taken.
GROUP = ValueStage.delay + Normaliser.delay + 1


def cycles(config: Int8Softmax) -> int:
    """Cycles from `start` to the last output beat, with streams that never stall."""
    scores = config.tokens * config.chunks
    group = max(config.tokens, config.lanes + GROUP)
    query = max(scores, config.groups * group)
    last = config.tokens + (config.groups - 1) * group + config.lanes
    return _latency(config) + scores + (config.tokens - 1) * query + last


def cycle_formula(config: Int8Softmax) -> str:
    """The formula of `cycles` as text; see `Core.cycle_formula`."""
    group = f"max(tokens, lanes + {GROUP})"
    return (
        f"{_latency(config)} + tokens * ceil(head_dim / lanes) "
        f"+ (tokens - 1) * max(tokens * ceil(head_dim / lanes), ceil(value_dim / lanes) * {group}) "
        f"+ tokens + (ceil(value_dim / lanes) - 1) * {group} + lanes"
    )


def _latency(config):
    """Of a score, of a sum and its outputs without the cycle for each lane, less the cycle that the
    last token of a group has counted for already."""
    return ScoreStage.delay + dot_product_delay(config.lanes) + GROUP - 1
