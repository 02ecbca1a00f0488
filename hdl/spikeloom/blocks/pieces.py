"""A value cut into pieces of a width."""

from amaranth.hdl import Array, Cat


def pieces(value, width):
    """`value` from its lowest bit on in pieces of `width` bits, the last possibly shorter."""
    return [value[n : n + width] for n in range(0, len(value), width)]


def piece(value, width, number):
    """The piece of `width` bits whose number a signal tells; `word_select` multiplies for it."""
    return Array(pieces(value, width))[number]


def any_of_each(value, width):
    """Which pieces of `width` bits have one set: a bit each."""
    return Cat(bits.any() for bits in pieces(value, width))
