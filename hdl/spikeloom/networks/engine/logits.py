"""Sends the sums of the classifier, and the class of the largest one."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.pieces import piece


class LogitSender(Component):
    """Sends accumulators one by one and keeps the first of the largest.

    Parameters
    ----------
    lanes, bits : number of accumulators, and bits of each.
    classes : logits of an image. logit_bits : bits of one, which are enough.

    Members
    -------
    values : In(lanes * bits), the accumulators; constant while `busy`.
    go : In(1), count : In(range(lanes + 1)): send that many of them, at least 1.
    busy : Out(1), not yet sent.
    finish : In(1), send the label after the logits. finished : Out(1), it was taken.
    logits : Out(stream of {data: signed, last}), one beat per class.
    label : Out(stream of {data: number of the class, last}), one beat.
    """

    def __init__(self, *, lanes: int, bits: int, logit_bits: int, classes: int) -> None:
        self._lanes = lanes
        self._bits = bits
        self._logit_bits = logit_bits
        self._classes = classes
        logit = data.StructLayout({"data": signed(logit_bits), "last": 1})
        label = data.StructLayout({"data": max(1, (classes - 1).bit_length()), "last": 1})
        super().__init__(
            {
                "values": In(lanes * bits),
                "go": In(1),
                "count": In(range(lanes + 1)),
                "busy": Out(1),
                "finish": In(1),
                "finished": Out(1),
                "logits": Out(stream.Signature(logit)),
                "label": Out(stream.Signature(label)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        logits, label = self.logits, self.label

        # An accumulator waits in the output register until it is taken. It stays there in the next
        # cycle, in which it replaces the largest one so far if it is larger. Only as many lanes as
        # there are classes have logits.
        most = min(self._lanes, self._classes)
        lane, left = Signal(range(most)), Signal.like(self.count)
        number, best = (
            Signal(range(self._classes)),
            Signal(signed(self._logit_bits), reset_less=True),
        )
        offered, taken, larger = Signal(), Signal(), Signal(reset_less=True)
        chosen = Signal(self._bits)
        m.d.comb += [
            chosen.eq(piece(self.values[: most * self._bits], self._bits, lane)),
            self.busy.eq(offered | logits.valid),
            logits.payload.last.eq(number == self._classes - 1),
            label.payload.last.eq(1),
            self.finished.eq(label.valid & label.ready),
        ]
        m.d.sync += [
            taken.eq(logits.valid & logits.ready),
            larger.eq(logits.payload.data > best),
        ]
        with m.If(logits.ready):
            m.d.sync += logits.valid.eq(0)
        with m.If(taken):
            m.d.sync += number.eq(Mux(logits.payload.last, 0, number + 1))
            with m.If((number == 0) | larger):
                m.d.sync += [best.eq(logits.payload.data), label.payload.data.eq(number)]
        with m.If(offered & ~logits.valid):
            m.d.sync += [
                logits.valid.eq(1),
                logits.payload.data.eq(chosen),
                lane.eq(lane + 1),
                left.eq(left - 1),
                offered.eq(left != 1),
            ]
        with m.If(self.go):
            m.d.sync += [offered.eq(1), lane.eq(0), left.eq(self.count)]
        with m.If(self.finish):
            m.d.sync += label.valid.eq(1)
        with m.If(self.finished):
            m.d.sync += label.valid.eq(0)

        return m
