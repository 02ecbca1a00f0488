"""Ports of the `ssa` core, whatever its engine."""

from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ...blocks.beat import beat
from ...blocks.control import control_members
from .core import ENCODER_STREAMS


def ssa_ports(config):
    """Members: start, seed, status, and a stream for each operand and for the output."""
    operands = {
        name: In(stream.Signature(beat(config.beat_bits(name)))) for name in ENCODER_STREAMS
    }
    return {
        **control_members(),
        "misframed": Out(1),
        **operands,
        "o": Out(stream.Signature(beat(config.spike_bits("o")))),
    }
