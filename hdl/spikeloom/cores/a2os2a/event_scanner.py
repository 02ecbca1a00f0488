"""Skips zeros: turns a row of bits into one event per set bit."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

SPAN = 8  # bits looked at together: two levels of eight see 64 without a long carry


class EventScanner(wiring.Component):
    """Each row leaves as one event per set bit, lowest first; a row without any, as one event that
    is not `active`.

    Every bit has a value of its own, which leaves with its event. One event per clock without gaps,
    between rows neither; two clocks of latency.

    Parameters
    ----------
    width : bits of a row.
    value_bits : bits of the value beside each of them.
    tag : shape of what a row carries along.

    Members
    -------
    i : In(stream of {mask: width bits, empty, full: take the mask as all zeros, as all ones,
        values: a value per bit, side by side, tag}).
    enable : In(1), move on; while low the output stays.
    o_valid : Out(1).
    o : Out({index: of the bit, value: its value, active, last: no more in this row, tag}).
    """

    def __init__(self, width, value_bits, tag):
        self._span = min(SPAN, width)
        self._spans = -(-width // self._span)
        self._value_bits = value_bits
        row = {"mask": width, "empty": 1, "full": 1, "values": width * value_bits, "tag": tag}
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
                "enable": In(1),
                "o_valid": Out(1),
                "o": Out(data.StructLayout(event)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        span, value_bits = self._span, self._value_bits

        # First level: a row, and which of its spans still have bits to give. Whether this is the
        # last of them, and which spans have a single bit, is known a clock ahead, for it decides
        # whether the operands move on.
        row = Signal.like(self.i.payload, reset_less=True)
        row_valid = Signal()
        spans_left = Signal(self._spans, reset_less=True)
        last_span = Signal(reset_less=True)
        single = Signal(self._spans, reset_less=True)
        hot_span = lowest(spans_left)
        here = Signal(range(self._spans))
        m.d.comb += here.eq(encode(hot_span))

        # Second level: a span, and which of its bits are left.
        bits_left = Signal(span, reset_less=True)
        last = Signal(reset_less=True)
        values = Signal(span * value_bits, reset_less=True)
        span_index = Signal(range(self._spans), reset_less=True)
        span_last = Signal(reset_less=True)
        span_valid = Signal()
        tag = Signal.like(row.tag, reset_less=True)
        hot = lowest(bits_left)

        take_span = Signal()
        m.d.comb += [
            take_span.eq(~span_valid | (self.enable & last)),
            self.i.ready.eq(~row_valid | (take_span & last_span)),
        ]
        with m.If(self.i.ready):
            masks = _pieces(self.i.payload.mask, span)
            spans = Cat(mask.any() for mask in masks)
            m.d.sync += [
                row_valid.eq(self.i.valid),
                row.eq(self.i.payload),
                single.eq(Cat(~many(mask) for mask in masks)),
                spans_left.eq(spans & (~self.i.payload.empty).replicate(self._spans)),
                last_span.eq(self.i.payload.empty | ~many(spans)),
            ]
            with m.If(self.i.payload.full):
                m.d.sync += [
                    row.mask.eq(-1),
                    single.eq(Cat(len(mask) == 1 for mask in masks)),
                    spans_left.eq(-1),
                    last_span.eq(self._spans == 1),
                ]
        with m.Elif(take_span):
            m.d.sync += [
                spans_left.eq(spans_left & ~hot_span),
                last_span.eq(~many(spans_left & ~hot_span)),
            ]
        with m.If(take_span):
            m.d.sync += [
                span_valid.eq(row_valid),
                bits_left.eq(row.mask.word_select(here, span)),
                last.eq(single.bit_select(here, 1)),
                values.eq(row.values.word_select(here, span * value_bits)),
                span_index.eq(here),
                span_last.eq(last_span),
                tag.eq(row.tag),
            ]
            with m.If(~spans_left.any()):
                m.d.sync += [bits_left.eq(0), last.eq(1)]
        with m.Elif(self.enable):
            m.d.sync += [bits_left.eq(bits_left & ~hot), last.eq(~many(bits_left & ~hot))]

        out = Signal.like(self.o, reset_less=True)
        m.d.comb += self.o.eq(out)
        with m.If(self.enable):
            m.d.sync += [
                self.o_valid.eq(span_valid),
                out.index.eq(Cat(encode(hot), span_index)),
                out.value.eq(select(hot, _pieces(values, value_bits))),
                out.active.eq(bits_left.any()),
                out.last.eq(last & span_last),
                out.tag.eq(tag),
            ]

        return m


def lowest(bits):
    """`bits` with all but its lowest set bit cleared."""
    below = [bits[:n].any() for n in range(1, len(bits))]
    return bits & ~Cat(0, *below)


def many(bits):
    """Whether more than one bit is set in `bits`."""
    return (bits & ~lowest(bits)).any()


def encode(hot):
    """The number of the one bit set in `hot`."""
    index_bits = (len(hot) - 1).bit_length()
    return Cat(
        Cat(hot[n] for n in range(len(hot)) if n >> weight & 1).any()
        for weight in range(index_bits)
    )


def select(hot, values):
    """The one of `values` whose bit is set in `hot`, 0 if none is."""
    terms = [value & hot[n].replicate(len(value)) for n, value in enumerate(values)]
    while len(terms) > 1:
        terms = [
            terms[n] | terms[n + 1] if n + 1 < len(terms) else terms[n]
            for n in range(0, len(terms), 2)
        ]
    return terms[0]


def _pieces(value, width):
    """`value` cut into pieces of `width` bits, the last one possibly shorter."""
    return [value[n : n + width] for n in range(0, len(value), width)]
