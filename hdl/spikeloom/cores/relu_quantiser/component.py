"""The ReLU neuron: unsigned numbers of few bits from signed ones of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.event_count import EventCount
from ...blocks.loop_nest import LoopNest
from ...blocks.skid_buffer import SkidBuffer
from ..channels import words_of

if TYPE_CHECKING:
    from amaranth.hdl import Value


class ReLUQuantiserComponent(Component):
    """``min(round(max(x, 0) / 2**shift), 2**bits - 1)``, `lanes` values per beat; halves are
    rounded up.

    One beat per cycle. Values that exceed the range are clipped and counted; the counter saturates.

    Parameters
    ----------
    lanes : values per beat.
    input_bits : bits of a signed input.
    bits : bits of an output.
    counter_bits : bits of `saturated`.
    shifts : binary places dropped, for each channel; value n has those of channel n mod channels.

    Members
    -------
    i : In(stream of {data: `lanes` concatenated signed inputs, last}).
    o : Out(stream of {data: `lanes` concatenated unsigned outputs, last}).
    saturated : Out(counter_bits), values clipped since reset.

    Source: the ReLU neuron of A2OS2A, arXiv 2503.00226.
    """

    delay = 1  # cycles from `i` to `o`

    def __init__(
        self, lanes: int, *, input_bits: int, bits: int, counter_bits: int, shifts: Sequence[int]
    ) -> None:
        self._lanes = lanes
        self._input_bits = input_bits
        self._bits = bits
        self._counter_bits = counter_bits
        self._words = words_of(shifts, lanes)
        super().__init__(
            {
                "i": In(_beats(lanes * input_bits)),
                "o": Out(_beats(lanes * bits)),
                "saturated": Out(counter_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # A stall of the output does not reach the input in the same cycle.
        out = Signal.like(self.o.payload, reset_less=True)
        out_valid = Signal()
        m.submodules.skid = skid = SkidBuffer(len(out.as_value()))
        m.d.comb += [
            skid.i.payload.eq(out),
            skid.i.valid.eq(out_valid),
            self.o.payload.eq(skid.o.payload),
            self.o.valid.eq(skid.o.valid),
            skid.o.ready.eq(self.o.ready),
        ]

        taken = Signal()
        m.submodules.word = word = LoopNest(word=len(self._words))
        m.submodules.count = count = EventCount(self._lanes, self._counter_bits)
        m.d.comb += [
            self.i.ready.eq(skid.i.ready),
            taken.eq(self.i.valid & self.i.ready),
            word.step.eq(taken),
            self.saturated.eq(count.total),
        ]
        with m.If(self.i.ready):
            m.d.sync += out_valid.eq(self.i.valid)
        with m.If(taken):
            m.d.sync += out.last.eq(self.i.payload.last)

        most = 2**self._bits - 1
        over = []
        for n in range(self._lanes):
            x = self.i.payload.data.word_select(n, self._input_bits)
            scaled = Signal(self._input_bits, name=f"scaled_{n}")
            m.d.comb += scaled.eq(
                self._rounded(x, [shifts[n] for shifts in self._words], word.word)
            )
            # Inputs of few bits never saturate; a comparison would be constant.
            over.append(scaled > most if self._input_bits > self._bits else Const(0, 1))
            with m.If(taken):
                m.d.sync += out.data.word_select(n, self._bits).eq(Mux(over[n], most, scaled))
        m.d.comb += count.events.eq(Cat(over) & taken.replicate(self._lanes))

        return m

    def _rounded(self, x: Value, shifts: Sequence[int], word: Value) -> Value:
        """``max(x, 0) / 2**shift``, rounded, with the shift of this word."""
        positive = Cat(x[:-1] & (~x[-1]).replicate(len(x) - 1), 0)
        halves = {shift: Cat(0, positive)[shift : shift + 1] for shift in shifts}
        quotients = [Cat(positive[shift:], Const(0, min(shift, len(x)))) for shift in shifts]
        bits = [Cat(halves[shift], Const(0, 1))[:1] for shift in shifts]
        if len({*shifts}) == 1:
            return quotients[0] + bits[0]
        return Array(quotients)[word] + Array(bits)[word]


def _beats(bits):
    return stream.Signature(data.StructLayout({"data": bits, "last": 1}))
