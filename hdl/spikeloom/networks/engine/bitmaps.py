"""Where spikes lie: columns of a row, and addresses in the bitmap memory."""

from __future__ import annotations

from dataclasses import dataclass, field


def padded(size: int, unit: int) -> int:
    """`size` rounded up to a multiple of `unit`."""
    return -(-size // unit) * unit


@dataclass(frozen=True)
class Columns:
    """The columns of `heads` times `dims` elements of a row; each head begins at a multiple of
    `pitch`."""

    heads: int
    dims: int
    pitch: int

    @property
    def places(self) -> list[int]:
        """The column of each element."""
        return [self.pitch * h + d for h in range(self.heads) for d in range(self.dims)]

    @property
    def end(self) -> int:
        """The column behind the last one that is used."""
        return self.pitch * (self.heads - 1) + self.dims


@dataclass(frozen=True)
class Places:
    """Columns of a row in any order."""

    places: tuple[int, ...]

    @property
    def end(self) -> int:
        """The column behind the last one that is used."""
        return max(self.places) + 1


@dataclass(eq=False)
class Bitmap:
    """The bits, or the currents, of one or more signals of equal shape, in consecutive regions.

    Parameters
    ----------
    row_words : words of a row, which is one time step of a token.
    words : words of one signal.
    planes : rows of a step, one for each bit of a value.
    signals : names in order; the first one may change while the program runs (`iand`).
    first, last : operations that write it first and use it last. base : address, once allocated.
    """

    row_words: int
    words: int
    signals: list[str] = field(default_factory=list)
    first: int = -1
    last: int = -1
    base: int = -1
    planes: int = 1

    @property
    def size(self) -> int:
        """Words of all signals."""
        return self.words * len(self.signals)

    def used(self, operation: int) -> None:
        """Note the use by an operation."""
        self.first = operation if self.first < 0 else self.first
        self.last = max(self.last, operation)


def allocate(bitmaps: list[Bitmap], start: int) -> int:
    """Give every bitmap an address from `start` on; bitmaps that are not used at the same time may
    share words. Returns the words of the memory."""
    end = start
    placed: list[Bitmap] = []
    for bitmap in sorted(bitmaps, key=lambda one: (one.first, -one.size)):
        rivals = sorted(
            (one for one in placed if one.first <= bitmap.last and bitmap.first <= one.last),
            key=lambda one: one.base,
        )
        base = start
        for rival in rivals:
            if base + bitmap.size <= rival.base:
                break
            base = max(base, rival.base + rival.size)
        bitmap.base = base
        placed.append(bitmap)
        end = max(end, base + bitmap.size)
    return end
