"""Skips zeros: turns a row of bits into one event per set bit."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out


def event(width, tag):
    """Payload of an event: the bit it stands for, and what came along with its row."""
    return data.StructLayout({"hot": width, "active": 1, "last": 1, "tag": tag})


class EventScanner(wiring.Component):
    """Each row leaves as one event per set bit, lowest first; a row without any, as one event that
    is not `active`.

    One event per clock without gaps between rows, one clock of latency, and rows of two or more
    bits never wait.

    Parameters
    ----------
    width : bits of a row.
    tag : shape of what a row carries along.

    Members
    -------
    i : In(stream of {mask: width bits, tag}).
    o : Out(stream of {hot: one bit of the mask, active, last: no more in this row, tag}).
    """

    def __init__(self, width, tag):
        self._width = width
        self._tag = tag
        row = data.StructLayout({"mask": width, "tag": tag})
        super().__init__(
            {"i": In(stream.Signature(row)), "o": Out(stream.Signature(event(width, tag)))}
        )

    def elaborate(self, platform):
        m = Module()

        left = Signal(self._width, reset_less=True)
        tag = Signal(self._tag, reset_less=True)
        holding = Signal()
        beyond = Signal(self._width)
        m.d.comb += beyond.eq(left & (left - 1))  # `left` without its lowest bit

        any_left, many_left = _any_and_many(list(left))
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(~holding | (advance & ~many_left))
        with m.If(self.i.ready):
            m.d.sync += [
                holding.eq(self.i.valid),
                left.eq(self.i.payload.mask),
                tag.eq(self.i.payload.tag),
            ]
        with m.Elif(advance):
            m.d.sync += left.eq(beyond)

        out = Signal.like(self.o.payload, reset_less=True)
        m.d.comb += self.o.payload.eq(out)
        with m.If(advance):
            m.d.sync += [
                self.o.valid.eq(holding),
                out.hot.eq(left & ~beyond),
                out.active.eq(any_left),
                out.last.eq(~many_left),
                out.tag.eq(tag),
            ]

        return m


def _any_and_many(bits):
    """Whether at least one, and at least two, of `bits` are set: a tree, quicker than a carry."""
    if len(bits) == 1:
        return bits[0], 0
    half = len(bits) // 2
    any_low, many_low = _any_and_many(bits[:half])
    any_high, many_high = _any_and_many(bits[half:])
    return any_low | any_high, many_low | many_high | (any_low & any_high)


def encode(hot):
    """The number of the one bit set in `hot`, as a list of bits, lowest first."""
    index_bits = (len(hot) - 1).bit_length()
    return [
        _or([hot[n] for n in range(len(hot)) if n >> weight & 1]) for weight in range(index_bits)
    ]


def select(hot, values):
    """The one of `values` whose bit is set in `hot`, 0 if none is."""
    return _or([hot[n].replicate(len(value)) & value for n, value in enumerate(values)])


def _or(terms):
    """Disjunction of a list of values, as a tree."""
    while len(terms) > 1:
        terms = [
            terms[n] | terms[n + 1] if n + 1 < len(terms) else terms[n]
            for n in range(0, len(terms), 2)
        ]
    return terms[0]
