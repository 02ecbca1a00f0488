"""What a replayed entry asks of the lanes."""

from __future__ import annotations

from amaranth.hdl import Cat, Value
from amaranth.lib import data

CONTROLS = data.StructLayout(
    {
        "shifted": 1,  # x <- operand << shift, rather than operand
        "capture": 1,  # x <- v
        "hold": 1,  # x stays
        "opens": 1,  # a time step begins
        "replace": 1,  # v <- rest + x in all lanes
        "decide": 1,  # v <- rest + x in lanes that fired, (v >> leak) + x in others
        "zero": 1,  # 0 instead of rest
        "soft": 1,  # v <- v + rest in lanes that fired in the entry before
        "learn": 1,  # v <- x + the spike of V
        "first": 1,  # the first entry of a replay
        "final": 1,  # the last entry of the operation
    }
)


def decode(kind: Value, *, first: Value, final: Value, learn: Value) -> Value:
    """The `CONTROLS` of an entry of a `Kind`; `learn`: EVENTs add to the attention state."""
    low, middle, high = kind
    opens = low & (middle | high)
    learns = learn & ~low & ~middle & ~high
    forced = high & low & ~middle
    return Cat(
        middle & ~high,
        high & ~middle,
        high & middle,
        opens,
        first | forced | learns,
        opens & ~forced,
        (first & ~opens) | learns,
        high & middle & ~low,
        learns,
        first,
        final,
    )
