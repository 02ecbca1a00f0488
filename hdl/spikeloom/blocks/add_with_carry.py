"""Adding and subtracting with one adder and its carry in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat

if TYPE_CHECKING:
    from amaranth.hdl import Value


def add_with_carry(a: Value, b: Value, carry: Value) -> Value:
    """``a + b + carry`` of signed numbers and a bit, with one adder."""
    return (Cat(1, a).as_signed() + Cat(carry, b).as_signed())[1:].as_signed()


def add_or_subtract(total: Value, value: Value, minus: Value) -> Value:
    """``total - value`` where `minus`, else ``total + value``, of signed numbers."""
    return add_with_carry(total, (value ^ minus.replicate(len(value))).as_signed(), minus)
