"""Conversions between one-spike codes and spike trains of T steps."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from .code import signed_code


def spikes(width: int) -> data.StructLayout:
    """The spikes of one step: a bitmap of neurons that fire and one of those that fire negative."""
    return data.StructLayout({"spike": width, "sign": width})


class CodesToSpikes(Component):
    """Converts each vector of codes to T beats of spikes; neuron d fires in beat `step`.

    One beat per cycle.

    Parameters
    ----------
    width : neurons per beat.
    steps : T.

    Members
    -------
    i : In(stream of array of `width` codes).
    o : Out(stream of {spike: width, sign: width}).
    """

    delay = 1  # cycles from codes to their first beat

    def __init__(self, width: int, steps: int) -> None:
        self._width = width
        self._steps = steps
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(signed_code(steps), width))),
                "o": Out(stream.Signature(spikes(width))),
            }
        )

    def elaborate(self, platform):
        m = Module()

        codes = Signal.like(self.i.payload, reset_less=True)
        playing = Signal()
        m.submodules.loops = loops = LoopNest(time=self._steps)
        m.d.comb += [
            self.o.valid.eq(playing),
            loops.step.eq(self.o.valid & self.o.ready),
            self.i.ready.eq(~playing | (loops.step & loops.time_last)),
        ]
        with m.If(self.i.ready):
            m.d.sync += [playing.eq(self.i.valid), codes.eq(self.i.payload)]
        for n in range(self._width):
            fires = codes[n].spike & (codes[n].step == loops.time)
            m.d.comb += [
                self.o.payload.spike[n].eq(fires),
                self.o.payload.sign[n].eq(fires & codes[n].sign),
            ]

        return m


class SpikesToCodes(Component):
    """Converts T beats of spikes to the code of each neuron, given by its first spike.

    One beat per cycle; the first beat stalls while the previous vector of codes is pending.

    Parameters
    ----------
    width : neurons per beat.
    steps : T.

    Members
    -------
    i : In(stream of {spike: width, sign: width}).
    o : Out(stream of array of `width` codes).
    """

    def __init__(self, width: int, steps: int) -> None:
        self._width = width
        self._steps = steps
        super().__init__(
            {
                "i": In(stream.Signature(spikes(width))),
                "o": Out(stream.Signature(data.ArrayLayout(signed_code(steps), width))),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.loops = loops = LoopNest(time=self._steps)
        complete = Signal()
        m.d.comb += [
            self.o.valid.eq(complete),
            self.i.ready.eq(~complete | self.o.ready),
            loops.step.eq(self.i.valid & self.i.ready),
        ]
        with m.If(self.i.ready):
            m.d.sync += complete.eq(loops.step & loops.time_last)
        for n in range(self._width):
            code = self.o.payload[n]
            spike = self.i.payload.spike[n]
            with m.If(loops.step & (loops.time_first | ~code.spike)):
                m.d.sync += [
                    code.spike.eq(spike),
                    code.step.eq(loops.time & spike.replicate(len(loops.time))),
                    code.sign.eq(self.i.payload.sign[n] & spike),
                ]

        return m
