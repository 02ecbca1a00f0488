"""Bit layout of a one-spike code."""

from __future__ import annotations

from amaranth.lib import data


def signed_code(steps: int) -> data.StructLayout:
    """An optional spike with a sign: `step` 0..T - 1 and `sign` (1 for negative), valid if `spike`
    is 1.

    A code without a spike is all zeros.
    """
    return data.StructLayout({"step": range(steps), "spike": 1, "sign": 1})


def unsigned_code(steps: int) -> data.StructLayout:
    """As `signed_code`, without a sign, for neurons that fire only positive spikes."""
    return data.StructLayout({"step": range(steps), "spike": 1})


def code_bits(steps: int) -> int:
    """Bits of a `signed_code`."""
    return signed_code(steps).size
