"""Splitting a value into pieces of equal width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Array, Cat

if TYPE_CHECKING:
    from amaranth.hdl import Value


def pieces(value: Value, width: int) -> list[Value]:
    """`value` in pieces of `width` bits, lowest first; the last one may be shorter."""
    return [value[n : n + width] for n in range(0, len(value), width)]


def piece(value: Value, width: int, number: Value) -> Value:
    """The piece of `width` bits with index `number`; `word_select` would use a multiplication."""
    return Array(pieces(value, width))[number]


def any_of_each(value: Value, width: int) -> Value:
    """For each piece of `width` bits, whether any of its bits is set."""
    return Cat(bits.any() for bits in pieces(value, width))
