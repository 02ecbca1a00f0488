"""Ranges of integers, from which the widths of memories and accumulators follow."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Range:
    """The integers ``low..high``."""

    low: int
    high: int

    @property
    def bits(self) -> int:
        """Bits of two's complement that hold every integer of the range."""
        return 1 + max(self.high.bit_length(), (~self.low if self.low < 0 else 0).bit_length())

    @property
    def magnitude(self) -> int:
        """The largest absolute value."""
        return max(abs(self.low), abs(self.high))

    def shifted(self, by: int) -> Range:
        """The range of ``x + by``."""
        return Range(self.low + by, self.high + by)

    def joined(self, other: Range) -> Range:
        """The smallest range that includes both."""
        return Range(min(self.low, other.low), max(self.high, other.high))


@dataclass(frozen=True)
class Bounds:
    """The worst case of a layer over all its inputs, at every moment of its sums.

    Members
    -------
    current : the sum of weighted inputs, with the bias and with only a part of the inputs added.
    membrane : the neurons' potential v, likewise; None without neurons.
    accumulator : what an accumulator holds that keeps ``v - threshold``, or the sum without
        neurons.
    state : the state of an attention; None for other layers.
    """

    current: Range
    membrane: Range | None
    accumulator: Range
    state: Range | None = None

    def covering(self, sums: Range) -> Bounds:
        """The same, where the accumulator also holds `sums`."""
        return replace(self, accumulator=self.accumulator.joined(sums))
