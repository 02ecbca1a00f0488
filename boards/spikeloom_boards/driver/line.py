"""Time of the serial line for one run, from the number of bytes transferred."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from spikeloom.link.protocol import MAX_PAYLOAD, line_bytes
from spikeloom.link.slots import output_bytes

if TYPE_CHECKING:
    from spikeloom.contract import Core

FEW = 2  # rounds of time steps from which the bytes of more follow
MANY = 2**20  # spikes of an operand from which that is done


@dataclass(frozen=True)
class LineLoad:
    """One run on the line: `bytes` in both directions, including framing, at `baud`; `ahead` of
    them, the operands and their answers, may be transferred while the core computes the run before.

    Not counted: escapes (0.8 % of random bytes), BUSY answers while the core runs, and the latency
    of a USB adapter for each round trip.
    """

    bytes: int
    baud: int
    ahead: int = 0

    @property
    def us(self) -> float:
        """Microseconds: requests and answers do not overlap, ten bits per byte."""
        return 10e6 * self.bytes / self.baud

    @property
    def ahead_us(self) -> float:
        """Microseconds of the bytes `ahead`."""
        return 10e6 * self.ahead / self.baud

    @classmethod
    def of(cls, core: Core, baud: int) -> Self:
        """The load of a run of `core`: its operands, in chunks of at most one payload that do not
        cross frames of a port, and its output."""
        writes = operands = 0
        for port in core.inputs.values():
            frames, size = port.beats // port.frame_beats, port.frame_beats * port.beat_bytes
            writes += frames * -(-size // MAX_PAYLOAD)
            operands += frames * size
        flags = {name: flag.bits for name, flag in core.flags.items()}
        total = line_bytes(writes, operands, output_bytes(core.outputs), flags)
        return cls(total, baud, line_bytes(writes, operands, 0, flags) - line_bytes(0, 0, 0, flags))
