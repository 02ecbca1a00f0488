"""Additions modulo a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Mux

from .random_plan import is_power_of_two

if TYPE_CHECKING:
    from amaranth.hdl import Value


def add_modulo(a: Value, b: Value, modulus: int) -> Value:
    """``(a + b) mod modulus`` of two numbers below `modulus`."""
    bits = (modulus - 1).bit_length()
    total = a + b
    if is_power_of_two(modulus):
        return total[:bits]
    return Mux(total >= modulus, total - modulus, total)[:bits]
