"""Values with a single bit set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat

if TYPE_CHECKING:
    from amaranth.hdl import Value


def encode(hot: Value) -> Value:
    """The index of the only bit set in `hot`."""
    index_bits = (len(hot) - 1).bit_length()
    return Cat(
        Cat(hot[n] for n in range(len(hot)) if n >> weight & 1).any()
        for weight in range(index_bits)
    )
