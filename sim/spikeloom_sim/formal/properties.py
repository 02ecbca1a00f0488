"""The properties of a harness: what is assumed, what is to be proved, what is to be reached.

Amaranth's own statements, without a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth import hdl

if TYPE_CHECKING:
    from amaranth.hdl._ast import Property
    from amaranth_types import ValueLike


def assume(test: ValueLike) -> Property:
    """The inputs keep `test` true."""
    return hdl.Assume(test, None, src_loc_at=1)


def prove(test: ValueLike) -> Property:
    """`test` is true in every state that the harness can reach."""
    return hdl.Assert(test, None, src_loc_at=1)


def cover(test: ValueLike) -> Property:
    """Some run makes `test` true."""
    return hdl.Cover(test, None, src_loc_at=1)
