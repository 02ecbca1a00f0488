"""A value cut into pieces of a width."""

from amaranth.hdl import Cat


def pieces(value, width):
    """`value` from its lowest bit on in pieces of `width` bits, the last possibly shorter."""
    return [value[n : n + width] for n in range(0, len(value), width)]


def any_of_each(value, width):
    """Which pieces of `width` bits have one set: a bit each."""
    return Cat(piece.any() for piece in pieces(value, width))
