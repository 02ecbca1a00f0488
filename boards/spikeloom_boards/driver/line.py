"""What the serial line takes for one attention, from the bytes that go over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from spikeloom.link.protocol import MAX_PAYLOAD, line_bytes

if TYPE_CHECKING:
    from spikeloom.contract import Core

FEW = 2  # rounds of time steps from which the bytes of more follow
MANY = 2**20  # spikes of an operand from which that is done


@dataclass(frozen=True)
class LineLoad:
    """One attention on the line: `bytes` both ways, framing included, at `baud`.

    Left out: escapes (0.8 % of random bytes), BUSY answers while the core works, and what a USB
    adapter adds to each round trip.
    """

    bytes: int
    baud: int

    @property
    def us(self) -> float:
        """Microseconds: requests and answers follow one another, ten bits to a byte."""
        return 10e6 * self.bytes / self.baud

    @classmethod
    def of(cls, core: Core, baud: int) -> Self:
        """That of a run of `core`: its operands in chunks of at most a payload, each frame of a
        port on its own, and its output."""
        writes = operands = 0
        for port in core.inputs.values():
            frames, size = port.beats // port.frame_beats, port.frame_beats * port.beat_bytes
            writes += frames * -(-size // MAX_PAYLOAD)
            operands += frames * size
        (output,) = core.outputs.values()
        flags = {name: flag.bits for name, flag in core.flags.items()}
        total = line_bytes(writes, operands, output.beats * output.beat_bytes, flags)
        return cls(total, baud)
