"""The ReLU neuron: unsigned numbers of few bits from signed ones of many."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component


class ReLUQuantiserComponent(Component):
    """``min(max(x, 0) >> shift, 2**bits - 1)``, `lanes` values per beat.

    One beat per cycle. Values that exceed the range are clipped and counted; the counter saturates.

    Parameters
    ----------
    lanes : values per beat.
    input_bits : bits of a signed input.
    bits : bits of an output.
    shift : binary places dropped, rounding down.

    Members
    -------
    i : In(stream of {data: `lanes` concatenated signed inputs, last}).
    o : Out(stream of {data: `lanes` concatenated unsigned outputs, last}).
    saturated : Out(32), values clipped since reset.

    Source: the ReLU neuron of A2OS2A, arXiv 2503.00226.
    """

    delay = 1  # cycles from `i` to `o`

    def __init__(self, lanes: int, *, input_bits: int, bits: int, shift: int) -> None:
        self._lanes = lanes
        self._input_bits = input_bits
        self._bits = bits
        self._shift = shift
        super().__init__(
            {
                "i": In(_beats(lanes * input_bits)),
                "o": Out(_beats(lanes * bits)),
                "saturated": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()

        taken = Signal()
        cut = Signal(range(self._lanes + 1))
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | self.o.ready),
            taken.eq(self.i.valid & self.i.ready),
        ]
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
        with m.If(taken):
            m.d.sync += self.o.payload.last.eq(self.i.payload.last)

        most = 2**self._bits - 1
        over = []
        for n in range(self._lanes):
            x = self.i.payload.data.word_select(n, self._input_bits).as_signed()
            scaled = Signal(self._input_bits, name=f"scaled_{n}")
            m.d.comb += scaled.eq(Mux(x < 0, 0, x >> self._shift))
            over.append(scaled > most)
            with m.If(taken):
                m.d.sync += self.o.payload.data.word_select(n, self._bits).eq(
                    Mux(scaled > most, most, scaled)
                )

        m.d.comb += cut.eq(sum(over))
        total = Signal(signed(34))
        m.d.comb += total.eq(self.saturated + cut)
        with m.If(taken):
            m.d.sync += self.saturated.eq(Mux(total >= 2**32, 2**32 - 1, total))

        return m


def _beats(bits):
    return stream.Signature(data.StructLayout({"data": bits, "last": 1}))
