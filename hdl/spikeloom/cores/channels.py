"""Parameters of stream units that may differ between channels."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..configuration import Configuration


def per_channel(value: int | tuple[int, ...]) -> tuple[int, ...]:
    """The values of the channels; a single number is that of all channels."""
    return value if isinstance(value, tuple) else (value,)


def check_channels(core: Configuration, key: str, count: int) -> None:
    """Raise `InputError` unless the channels of `key` repeat evenly in `count` elements."""
    value = getattr(core, key)
    channels = len(per_channel(value))
    if count % channels:
        raise core.error(
            key, value, f"one number, or one for each channel; {channels} do not divide {count}"
        )


def words_of(values: Sequence[int], lanes: int) -> list[list[int]]:
    """The values of each beat of `lanes` elements, up to the beat after which they repeat."""
    count = lcm(len(values), lanes)
    words = [
        [values[n % len(values)] for n in range(first, first + lanes)]
        for first in range(0, count, lanes)
    ]
    return words[:1] if all(word == words[0] for word in words) else words
