"""Windows on the grid of the tokens that an operation reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..windows import Windows
from .bitmaps import Columns, Places, padded

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Window:
    """What an operation reads for each token of its output: a window of tokens, or just the token
    itself, without a grid.

    Parameters
    ----------
    windows : kernel, stride and padding, or None for the token itself.
    size : rows and columns of the grid that is read.
    shared : all places have the same weights, so that their values are summed.
    """

    windows: Windows | None = None
    size: tuple[int, int] = (1, 1)
    shared: bool = False

    @property
    def kernel(self) -> tuple[int, ...]:
        """Rows and columns of a window."""
        return self.windows.kernel if self.windows else (1, 1)

    @property
    def places(self) -> int:
        """Places of a window."""
        return self.kernel[0] * self.kernel[1]

    @property
    def across(self) -> int:
        """Windows in a row of the output."""
        return self.windows.grid(self.size, "window")[1] if self.windows else 1

    @property
    def first(self) -> tuple[int, ...]:
        """Row and column of the first place; negative outside of the grid."""
        return tuple(-n for n in self.windows.padding) if self.windows else (0, 0)

    @property
    def stride(self) -> tuple[int, ...]:
        """Rows and columns between windows; 0 without a grid."""
        return self.windows.stride if self.windows else (0, 0)

    def steps(self, pitch: int, row: int, rows: int, words: int, part: int, parts: int) -> dict:
        """What is added to the address behind the last word of each loop, see `Operation`.

        A token begins `pitch` pieces after the one before it, a row `row` pieces, and a part `part`
        pieces; `words` pieces of a row are read.
        """
        down, across = ((self.kernel[n] - 1) for n in (0, 1))
        line = self.size[1] * pitch
        window = down * line + across * pitch + words - 1  # from its first piece to its last
        token = (rows - 1) * row + (parts - 1) * part + window
        stride = self.stride if self.windows else (1, 1)
        return {
            "column_step": pitch - words + 1,
            "line_step": line - across * pitch - words + 1,
            "part_step": part - window if parts > 1 else 0,
            "row_step": row - (parts - 1) * part - window,
            "token_step": stride[1] * pitch - token,
            "down_step": stride[0] * line - stride[1] * (self.across - 1) * pitch - token,
        }

    def offset(self, pitch: int) -> int:
        """Pieces from the first token to the first place."""
        return (self.first[0] * self.size[1] + self.first[1]) * pitch

    def columns(self, columns: Columns | Places, unit: int) -> Columns | Places:
        """The columns of all values of a window, one place after the other, for places of whole
        units."""
        if not self.windows or self.shared:
            return columns
        pitch = padded(columns.end, unit)
        return Places(
            tuple(pitch * n + place for n in range(self.places) for place in columns.places)
        )

    def take(self, values: NDArray, outside: ArrayLike = 0) -> NDArray:
        """The values (T, N, places, D) of the windows, of the tokens' values (T, N, D)."""
        if self.windows is None:
            return values[:, :, None]
        steps, _, dims = values.shape
        taken = self.windows.take(values.reshape(steps, *self.size, dims), outside)
        return taken.reshape(steps, -1, self.places, dims)


ALONE = Window()
