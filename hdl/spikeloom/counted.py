"""A number with its noun: "1 build", "2 builds"."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`number` and `noun`, the latter with an s unless there is one of it."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
