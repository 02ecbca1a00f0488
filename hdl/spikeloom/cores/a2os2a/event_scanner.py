"""Skips zeros: turns a row of bits into one event per set bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Mux, Signal
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
    i : In(stream of {mask: width bits, spans: `spans_of` the mask, or 0 to ignore the mask, many:
        more than one of `spans`, values: concatenated values of the bits, tag}); `i.ready` is a
        register.
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
            "spans": self._spans,
            "many": 1,
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
        span, value_bits = self._span, self._value_bits

        # First level: a row, the current span (one-hot) and the remaining spans. An empty level
        # counts as finished.
        row = Signal.like(self.i.payload, reset_less=True)
        row_valid = Signal()
        hot_span = Signal(self._spans, reset_less=True)
        spans_left = Signal(self._spans, reset_less=True)
        row_over = Signal(init=1)
        single = Signal(self._spans, reset_less=True)

        # Second level: a span and its remaining bits.
        bits_left = Signal(span)
        over = Signal(init=1)
        values = Signal(span * value_bits, reset_less=True)
        span_index = Signal(range(self._spans), reset_less=True)
        span_last = Signal(reset_less=True)
        span_valid = Signal()
        tag = Signal.like(row.tag, reset_less=True)
        hot = lowest(bits_left)

        # Whether a level takes its next item is determined one cycle ahead: these registers enable
        # many others, and the operands' ready depends on them.
        take_span, take_row = Signal(init=1), Signal(init=1)
        over_next, row_over_next = Signal(), Signal()
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
        with m.If(self.i.ready):
            m.d.sync += [
                row_valid.eq(self.i.valid),
                row.eq(self.i.payload),
                single.eq(Cat(~many(mask) for mask in pieces(self.i.payload.mask, span))),
            ]
        spans = Mux(
            row_over, self.i.payload.spans & self.i.valid.replicate(self._spans), spans_left
        )
        with m.If(take_span):
            m.d.comb += [
                over_next.eq(~(hot_span & ~single).any()),
                row_over_next.eq(
                    ~Mux(row_over, self.i.payload.many & self.i.valid, many(spans_left))
                ),
            ]
            m.d.sync += [
                hot_span.eq(lowest(spans)),
                spans_left.eq(spans & ~lowest(spans)),
                span_valid.eq(row_valid),
                bits_left.eq(select(hot_span, pieces(row.mask, span))),
                values.eq(select(hot_span, pieces(row.values, span * value_bits))),
                span_index.eq(encode(hot_span)),
                span_last.eq(row_over),
                tag.eq(row.tag),
            ]
        with m.Elif(self.o.ready):
            m.d.comb += over_next.eq(~many(bits_left & ~hot))
            m.d.sync += bits_left.eq(bits_left & ~hot)

        out = Signal.like(self.o.payload, reset_less=True)
        m.d.comb += self.o.payload.eq(out)
        with m.If(self.o.ready):
            m.d.sync += [
                self.o.valid.eq(span_valid),
                out.index.eq(Cat(encode(hot), span_index)),
                out.value.eq(select(hot, pieces(values, value_bits))),
                out.active.eq(bits_left.any()),
                out.last.eq(over & span_last),
                out.tag.eq(tag),
            ]

        return m


def span_count(width: int) -> int:
    """Spans of a row of `width` bits."""
    return -(-width // SPAN)


def spans_of(mask: Value) -> Value:
    """Which spans of a row have a bit set."""
    return any_of_each(mask, SPAN)


def lowest(bits: Value) -> Value:
    """`bits` with all but its lowest set bit cleared."""
    below = [bits[:n].any() for n in range(1, len(bits))]
    return bits & ~Cat(0, *below)


def many(bits: Value) -> Value:
    """Whether more than one bit is set in `bits`."""
    return (bits & ~lowest(bits)).any()


def select(hot: Value, values: Sequence[Value]) -> Value:
    """The entry of `values` whose bit is set in `hot`, 0 if none is set."""
    terms = [value & hot[n].replicate(len(value)) for n, value in enumerate(values)]
    while len(terms) > 1:
        terms = [
            terms[n] | terms[n + 1] if n + 1 < len(terms) else terms[n]
            for n in range(0, len(terms), 2)
        ]
    return terms[0]
