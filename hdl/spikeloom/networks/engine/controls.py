"""What a replayed entry asks of the lanes."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Value
from amaranth.lib import data

FIELDS = {
    "shifted": 1,  # x <- operand << shift, rather than operand
    "capture": 1,  # x <- v
    "hold": 1,  # x stays
    "opens": 1,  # a time step begins
    "replace": 1,  # v <- rest + x in all lanes
    "decide": 1,  # v <- rest + x in lanes that fired, (v >> leak) + x in others
    "zero": 1,  # 0 instead of rest
    "test": 1,  # TEST
    "back": 1,  # BACK
    "split": 1,  # SPLIT
    "soft": 1,  # v <- v + rest in lanes that fired in the entry before
    "largest": 1,  # v <- max(v, x)
    "learn": 1,  # v <- x + the spike of V
    "first": 1,  # the first entry of a replay
    "final": 1,  # the last entry of the operation
}


def controls_layout(*, varied: bool = False) -> data.StructLayout:
    """The fields of `FIELDS`, and with `varied` one more.

    late : v <- v + x in lanes that fired when the step began, as in LATE.
    """
    return data.StructLayout(FIELDS | ({"late": 1} if varied else {}))


def decode(
    kind: Value,
    *,
    first: Value,
    final: Value,
    learn: Value,
    ternary: Value,
    split: Value,
    largest: Value,
    by_rest: bool,
    varied: Value | None = None,
) -> Value:
    """The `controls_layout` of an entry of a `Kind`; `learn`: EVENTs add to the attention state,
    `ternary`, `split` and `varied`: of the neurons; `largest`: EVENTs leave the largest value;
    `by_rest`: what is learnt is a multiple of rest."""
    low, middle, high = kind
    opens = low & (middle | high)
    test, back = ternary & low & high & ~middle, ternary & low & high & middle
    splits = split & low & high & middle
    learns = learn & ~low & ~middle & ~high
    forced = high & low & ~middle & ~ternary
    shifted, capture, hold, soft = (
        middle & ~high,
        high & ~middle,
        high & middle,
        high & middle & ~low,
    )
    extra = []
    if varied is not None:
        late = varied & high & ~low
        shifted = shifted | (late & ~middle)
        capture, hold, soft = (one & ~late for one in (capture, hold, soft))
        extra = [late]
    return Cat(
        shifted,
        capture,
        hold,
        opens,
        first | forced | learns,
        opens & ~forced & ~test & ~back & ~splits,
        (first & ~opens) | (Const(0) if by_rest else learns),
        test,
        back,
        splits,
        soft,
        largest & ~low & ~middle & ~high,
        learns,
        first,
        final,
        *extra,
    )
