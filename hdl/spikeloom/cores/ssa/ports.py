"""Ports of the `ssa` core, common to both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ...blocks.beat import beat
from ...blocks.control import control_members
from .core import ENCODER_STREAMS

if TYPE_CHECKING:
    from amaranth.lib.wiring import Member

    from .core import SSA


def ssa_ports(config: SSA) -> dict[str, Member]:
    """Members: start, seed, status, and a stream for each operand and the output."""
    operands = {
        name: In(stream.Signature(beat(config.beat_bits(name)))) for name in ENCODER_STREAMS
    }
    return {
        **control_members(seeded=True),
        "misframed": Out(1),
        **operands,
        "o": Out(stream.Signature(beat(config.spike_bits("o")))),
    }
