"""A stream of beats that arrive as a stream or by writes to a register."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ..blocks.beat import beat
from ..blocks.component import Component
from ..blocks.loop_nest import LoopNest


class LoadMerge(Component):
    """Passes on tensors from a stream or from a register, each tensor from one of them.

    The source that has a beat first sends a whole tensor, from the second cycle on; the other
    one waits. `last` of beats from the register is generated.

    Parameters
    ----------
    bits : data bits of a beat.
    beats : of a tensor.

    Members
    -------
    i : In(stream of {data, last}). o : Out(stream of {data, last}).
    en : In(1), the register is written, with `data` : In(bits). room : Out(1), it may be.
    """

    def __init__(self, bits: int, beats: int) -> None:
        self._beats = beats
        layout = beat(bits)
        super().__init__(
            {
                "i": In(stream.Signature(layout)),
                "o": Out(stream.Signature(layout)),
                "data": In(bits),
                "en": In(1),
                "room": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        i, o = self.i, self.o

        m.submodules.written = written = LoopNest(beat=self._beats)
        word = Signal.like(self.data)
        held = Signal()
        moved = Signal()
        m.d.comb += [self.room.eq(~held), moved.eq(o.valid & o.ready)]
        with m.If(self.en & self.room):
            m.d.sync += [held.eq(1), word.eq(self.data)]

        with m.FSM():
            with m.State("none"):
                with m.If(i.valid):
                    m.next = "stream"
                with m.Elif(held):
                    m.next = "register"
            with m.State("stream"):
                m.d.comb += [o.payload.eq(i.payload), o.valid.eq(i.valid), i.ready.eq(o.ready)]
                with m.If(moved & o.payload.last):
                    m.next = "none"
            with m.State("register"):
                m.d.comb += [
                    o.payload.data.eq(word),
                    o.payload.last.eq(written.beat_last),
                    o.valid.eq(held),
                    written.step.eq(moved),
                ]
                with m.If(moved):
                    m.d.sync += held.eq(0)
                with m.If(moved & written.beat_last):
                    m.next = "none"

        return m
