"""Values with a single bit set, and the lowest bit that is set of others."""

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


def any_lower(bits: Value) -> Value:
    """For each bit, whether a lower one is set."""
    return Cat(bits[:n].any() for n in range(len(bits)))


def at_most_one(bits: Value) -> Value:
    """Whether no bit or a single one is set. For few bits: it looks at every pair."""
    return ~(bits & any_lower(bits)).any()
