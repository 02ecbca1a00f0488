"""Selection by index, with multiplexers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Const, Mux

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amaranth.hdl import Value


def lookup(values: Sequence[int], index: Value) -> Value:
    """Entry number `index` of the constants `values`, as a tree of multiplexers.

    An index beyond the end selects the last entry.
    """
    return select([Const(value, range(max(values) + 1)) for value in values], index)


def select(values: list[Any], index: Value) -> Value:
    """Entry number `index` of a list of values, as for `lookup`."""
    return select_some(values, index)[0]


def select_some(values: list[Any], index: Value) -> list[Any]:
    """The entries of a list of values whose number has `index` as its low bits."""
    for bit in index:
        values = values + values[-1:] * (len(values) % 2)
        values = [Mux(bit, high, low) for low, high in zip(values[::2], values[1::2], strict=True)]
    return values
