"""The properties of a harness: assumptions, assertions and cover points.

They are Amaranth's statements, without a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth import hdl

if TYPE_CHECKING:
    from amaranth.hdl._ast import Property
    from amaranth_types import ValueLike


def assume(test: ValueLike) -> Property:
    """Assume that `test` is always true."""
    return hdl.Assume(test, None, src_loc_at=1)


def prove(test: ValueLike) -> Property:
    """Assert that `test` is true in every reachable state."""
    return hdl.Assert(test, None, src_loc_at=1)


def cover(test: ValueLike) -> Property:
    """Require that `test` is true in some reachable state."""
    return hdl.Cover(test, None, src_loc_at=1)
