"""What the interactive pages of the demos contain, as text."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def packed(bits: NDArray) -> str:
    """Bits in base64, eight to a byte, the first in the highest place."""
    return base64.b64encode(np.packbits(bits.astype(bool)).tobytes()).decode()


def grey_levels(image: NDArray) -> list[int]:
    """Grey values in [0, 1] as 0..255, row by row."""
    return np.rint(255 * image).astype(int).ravel().tolist()


def png_address(image: NDArray) -> str:
    """A picture of uint8, grey or in colour, as an address that contains it."""
    file = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
