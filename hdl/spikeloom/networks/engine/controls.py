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


def controls_layout(
    *, varied: bool = False, codes: bool = False, halves: bool = False
) -> data.StructLayout:
    """The fields of `FIELDS`, and more: with `varied` late, with `codes` minus and fade, with
    `halves` halve.

    late : v <- v + x in lanes that fired when the step began, as in LATE.
    minus : x <- -1 - operand; v <- v + x + 1. fade : FADE. halve : v <- (v >> 1) + x.
    """
    fields = ["late"] * varied + ["minus", "fade"] * codes + ["halve"] * halves
    return data.StructLayout(FIELDS | dict.fromkeys(fields, 1))


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
    codes: Value | None = None,
    fine: Value | None = None,
    halves: Value | None = None,
) -> Value:
    """The `controls_layout` of an entry of a `Kind`; `learn`: EVENTs add to the attention state,
    `ternary`, `split` and `varied`: of the neurons; `largest`: EVENTs leave the largest value;
    `by_rest`: what is learnt is a multiple of rest; `codes`, `fine` and `halves`: see
    `Operation`."""
    low, middle, high = kind
    opens = low & (middle | high)
    test, back = ternary & low & high & ~middle, ternary & low & high & middle
    splits = split & low & high & middle
    learns = learn & ~low & ~middle & ~high
    forced = high & low & ~middle & ~ternary
    decide = opens & ~forced & ~test & ~back & ~splits
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
    if codes is not None and fine is not None:
        minus, fade = codes & high & ~middle & ~low, codes & high & middle & ~low
        shifted = shifted | (fine & ~low & ~middle)
        capture, hold, soft = capture & ~minus, hold & ~fade, soft & ~fade
        decide = decide & ~codes
        extra += [minus, fade]
    if halves is not None:
        halve = halves & low & middle & high
        hold, opens, decide = hold & ~halve, opens & ~halve, decide & ~halve
        extra += [halve]
    return Cat(
        shifted,
        capture,
        hold,
        opens,
        first | forced | learns,
        decide,
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
