"""What an operation reads."""

from __future__ import annotations

from dataclasses import dataclass

from .bitmaps import Bitmap, Columns, Places
from .operation import PIECE_BITS
from .window import ALONE, Window


@dataclass(frozen=True)
class Source:
    """Signals of equal shape that an operation reads, one or several summands.

    Members
    -------
    bitmap : where they are; None for the image. part : the first one there. inputs : their names.
    columns : of a row. window : of each token of the output. second : where the second one is, of
        currents, whose places are independent.
    border : the pixel outside of the image.
    """

    bitmap: Bitmap | None
    part: int
    inputs: tuple[str, ...]
    columns: Columns | Places
    window: Window = ALONE
    border: tuple[int, ...] = ()
    second: Bitmap | None = None

    @property
    def values(self) -> Columns | Places:
        """The columns of all values with weights of their own."""
        return self.window.columns(self.columns, PIECE_BITS)
