"""A value cut into pieces of a width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Array, Cat

if TYPE_CHECKING:
    from amaranth.hdl import Value


def pieces(value: Value, width: int) -> list[Value]:
    """`value` from its lowest bit on in pieces of `width` bits, the last possibly shorter."""
    return [value[n : n + width] for n in range(0, len(value), width)]


def piece(value: Value, width: int, number: Value) -> Value:
    """The piece of `width` bits whose number a signal tells; `word_select` multiplies for it."""
    return Array(pieces(value, width))[number]


def any_of_each(value: Value, width: int) -> Value:
    """Which pieces of `width` bits have one set: a bit each."""
    return Cat(bits.any() for bits in pieces(value, width))
