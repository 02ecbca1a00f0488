"""A number with its noun: "1 build", "2 builds"."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`number` and `noun`, in the plural unless `number` is 1."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
