"""The key of units that count what they clamp."""

from typing import Any

from ..configuration import integer


def counter_bits_key() -> Any:
    """Key `counter_bits` of a core with a counter `saturated`."""
    return integer(
        "bits of a counter of clamped values, which stays at its greatest number",
        low=1,
        high=32,
        default=32,
    )
