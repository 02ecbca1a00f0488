"""Windows of a grid: what a convolution or a pooling looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .values import sizes, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

MAX_KERNEL = 16


@dataclass(frozen=True)
class Windows:
    """Windows of `kernel` places, `stride` places apart, on a grid with `padding` places more on
    each side. All are pairs: rows and columns."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    @classmethod
    def checked(cls, kernel: Any, stride: Any, padding: Any, where: str) -> dict[str, Any]:
        """The three pairs by name. Raises `InputError` naming `where` if they are invalid."""
        kernel = sizes(kernel, 2, MAX_KERNEL, where, "kernel")
        stride = sizes(stride, 2, MAX_KERNEL, where, "stride")
        if not isinstance(padding, Sequence) or isinstance(padding, str) or len(padding) != 2:
            padding = sizes(padding, 2, MAX_KERNEL, where, "padding")
        for n, size in enumerate(padding):
            whole(size, 0, kernel[n] - 1, where, "padding")
        return {"kernel": kernel, "stride": stride, "padding": tuple(padding)}

    def grid(self, size: tuple[int, int], where: str) -> tuple[int, int]:
        """Rows and columns of windows on a grid of `size`. Raises `InputError` if there are
        none."""
        found = []
        for n, side in enumerate(size):
            room = side + 2 * self.padding[n] - self.kernel[n]
            if room < 0:
                raise InputError(
                    f"{where}: kernel {self.kernel[0]} x {self.kernel[1]} is larger than its input "
                    f"of {size[0]} x {size[1]} with padding {list(self.padding)}; choose a smaller "
                    "kernel"
                )
            found.append(room // self.stride[n] + 1)
        return found[0], found[1]

    def take(self, x: NDArray, outside: ArrayLike = 0) -> NDArray:
        """The windows (..., N, kernel rows * kernel columns * C) of x (..., Y, X, C), whose places
        outside are `outside`, one value or one of each channel."""
        stacked = np.stack(
            list(self._views(x, outside)), axis=-2
        )  # (..., rows, columns, places, C)
        *lead, rows, columns, places, channels = stacked.shape
        return stacked.reshape(*lead, rows * columns, places * channels)

    def largest(self, x: NDArray, least: int) -> NDArray:
        """The largest value (..., N, C) of each window of x (..., Y, X, C); none is below
        `least`."""
        best: NDArray | None = None
        for view in self._views(x, least):
            best = view.copy() if best is None else np.maximum(best, view, out=best)
        assert best is not None
        *lead, rows, columns, channels = best.shape
        return best.reshape(*lead, rows * columns, channels)

    def total(self, x: NDArray, dtype: DTypeLike) -> NDArray:
        """The sum (..., N, C) of each window of x (..., Y, X, C), which `dtype` holds."""
        views = list(self._views(x, 0))
        summed = np.add.reduce(views, dtype=dtype)
        *lead, rows, columns, channels = summed.shape
        return summed.reshape(*lead, rows * columns, channels)

    def _views(self, x: NDArray, outside: ArrayLike) -> Iterator[NDArray]:
        """For each place of the kernel, its value in every window: (..., rows, columns, C)."""
        rows, columns = self.grid((x.shape[-3], x.shape[-2]), "windows")
        (top, left), (height, width) = self.padding, x.shape[-3:-1]
        shape = (*x.shape[:-3], height + 2 * top, width + 2 * left, x.shape[-1])
        padded = np.empty(shape, x.dtype)
        padded[...] = outside
        padded[..., top : top + height, left : left + width, :] = x
        for y in range(self.kernel[0]):
            for column in range(self.kernel[1]):
                last = y + self.stride[0] * (rows - 1), column + self.stride[1] * (columns - 1)
                yield padded[
                    ..., y : last[0] + 1 : self.stride[0], column : last[1] + 1 : self.stride[1], :
                ]
