"""Skips zeros: turns a row of bits into one event per set bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.one_hot import encode
from ...blocks.pieces import any_of_each, pieces

if TYPE_CHECKING:
    from amaranth.hdl import ShapeLike, Value

SPAN = 8  # bits per group: two levels of eight cover 64 bits without a long carry chain


class EventScanner(Component):
    """Converts each row into one event per set bit, lowest first.

    A row without set bits becomes one event that is not `active`. An event carries the value of its
    bit. One event per cycle without gaps, also between rows.

    Parameters
    ----------
    width : bits of a row.
    value_bits : bits of the value of each bit.
    tag : shape of the tag of a row, which is copied to its events.

    Members
    -------
    i : In(stream of {mask: width bits, marks: `marks_of` its spans, or 0 to ignore the mask or if
        not valid, values: concatenated values of the bits, tag}); `i.ready` is a register.
    o : Out(stream of {index: of the bit, value: of the bit, active, last: last event of the row,
        tag}). `o.ready` enables the whole pipeline, regardless of `o.valid`.
    ready_next : In(1), `o.ready` of the next cycle.
    """

    delay = 2  # cycles from a row to its first event

    def __init__(self, width: int, value_bits: int, tag: ShapeLike) -> None:
        self._span = min(SPAN, width)
        self._spans = span_count(width)
        self._value_bits = value_bits
        row = {
            "mask": width,
            "marks": span_marks(width),
            "values": width * value_bits,
            "tag": tag,
        }
        event = {
            "index": range(width),
            "value": value_bits,
            "active": 1,
            "last": 1,
            "tag": tag,
        }
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout(row))),
                "o": Out(stream.Signature(data.StructLayout(event))),
                "ready_next": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # First level: a row, the current span (one-hot) and the remaining spans. An empty level
        # counts as finished.
        row, row_valid, single = self._row(m)
        hot_span = Signal(self._spans)  # reset: that of a row before would be scanned
        spans_left = Signal(self._spans, reset_less=True)
        row_over = Signal(init=1)

        # Second level: a span.
        part = Signal(self._part(row.tag.shape()), reset_less=True)
        part_valid = Signal()
        over = Signal(init=1)

        # Whether a level takes its next item is determined one cycle ahead: these registers enable
        # many others, and the operands' ready depends on them.
        take_span = Signal(init=1)
        take_row = Signal(init=1)
        over_next = Signal()
        row_over_next = Signal()
        m.d.comb += [
            over_next.eq(over),
            row_over_next.eq(row_over),
            self.i.ready.eq(take_row),
        ]
        m.d.sync += [
            over.eq(over_next),
            row_over.eq(row_over_next),
            take_span.eq(self.ready_next & over_next),
            take_row.eq(self.ready_next & over_next & row_over_next),
        ]
        bits = select(hot_span, pieces(row.mask, self._span))
        values = select(hot_span, pieces(row.values, self._span * self._value_bits))
        marks, first_left = self.i.payload.marks, lowest(spans_left)
        with m.If(take_span):
            m.d.comb += [
                over_next.eq(~(hot_span & ~single).any()),
                row_over_next.eq(~Mux(row_over, marks.many, at_least(spans_left, 2))),
            ]
            m.d.sync += [
                hot_span.eq(Mux(row_over, marks.first, first_left)),
                spans_left.eq(Mux(row_over, marks.rest, spans_left & ~first_left)),
                part_valid.eq(row_valid),
                part.hot.eq(lowest(bits)),
                part.left.eq(bits & ~lowest(bits)),
                part.values.eq(values),
                part.index.eq(encode(hot_span)),
                part.last.eq(row_over),
                part.tag.eq(row.tag),
            ]
        with m.Elif(self.o.ready):
            m.d.comb += over_next.eq(~at_least(part.left, 2))
            m.d.sync += [
                part.hot.eq(lowest(part.left)),
                part.left.eq(part.left & ~lowest(part.left)),
            ]
        self._send(m, part, part_valid, over)

        return m

    def _row(self, m):
        """The current row, whether there is one, and which of its spans have a single bit."""
        row = Signal.like(self.i.payload, reset_less=True)
        row_valid = Signal()
        single = Signal(self._spans, reset_less=True)
        spans = pieces(self.i.payload.mask, self._span)
        with m.If(self.i.ready):
            m.d.sync += [
                row.eq(self.i.payload),
                row_valid.eq(self.i.valid),
                single.eq(Cat(~at_least(span, 2) for span in spans)),
            ]
        return row, row_valid, single

    def _part(self, tag):
        """Layout of a span of a row: its current bit (one-hot), the remaining bits, the values."""
        return data.StructLayout(
            {
                "hot": self._span,
                "left": self._span,
                "values": self._span * self._value_bits,
                "index": range(self._spans),
                "last": 1,
                "tag": tag,
            }
        )

    def _send(self, m, part, valid, over):
        """Register the event of the current bit."""
        out = Signal.like(self.o.payload, reset_less=True)
        m.d.comb += self.o.payload.eq(out)
        with m.If(self.o.ready):
            m.d.sync += [
                self.o.valid.eq(valid),
                out.index.eq(Cat(encode(part.hot), part.index)),
                out.value.eq(select(part.hot, pieces(part.values, self._value_bits))),
                out.active.eq(part.hot.any()),
                out.last.eq(over & part.last),
                out.tag.eq(part.tag),
            ]


def span_count(width: int) -> int:
    """Spans of a row of `width` bits."""
    return -(-width // SPAN)


def span_marks(width: int) -> data.StructLayout:
    """The spans of a row of `width` bits that have a bit set: the first (one-hot), the others, and
    whether there are others."""
    spans = span_count(width)
    return data.StructLayout({"first": spans, "rest": spans, "many": 1})


def spans_of(row: Value, value_bits: int = 1) -> Value:
    """Which spans of a row of values of `value_bits` bits have one that is not zero."""
    return any_of_each(row, SPAN * value_bits)


def marks_of(spans: Value) -> Value:
    """The `span_marks` of a row, from its `spans_of`."""
    first = lowest(spans)
    return Cat(first, spans & ~first, at_least(spans, 2))


def lowest(bits: Value) -> Value:
    """`bits` with all but its lowest set bit cleared."""
    below = [bits[:n].any() for n in range(1, len(bits))]
    return bits & ~Cat(0, *below)


def at_least(bits: Value, count: int) -> Value:
    """Whether at least `count` of `bits` are set."""

    def reached(bits):
        """For each number from 0 to `count`, whether as many of `bits` are set."""
        if len(bits) == 1:
            return [Const(1), bits[0]]
        low, high = reached(bits[: len(bits) // 2]), reached(bits[len(bits) // 2 :])
        return [
            Cat(
                low[part] & high[number - part]
                for part in range(number + 1)
                if part < len(low) and number - part < len(high)
            ).any()
            for number in range(min(count, len(bits)) + 1)
        ]

    numbers = reached(bits)
    return numbers[count] if count < len(numbers) else Const(0)


def select(hot: Value, values: Sequence[Value]) -> Value:
    """The entry of `values` whose bit is set in `hot`, 0 if none is set."""
    terms = [value & hot[n].replicate(len(value)) for n, value in enumerate(values)]
    while len(terms) > 1:
        terms = [
            terms[n] | terms[n + 1] if n + 1 < len(terms) else terms[n]
            for n in range(0, len(terms), 2)
        ]
    return terms[0]
