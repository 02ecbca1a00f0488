"""Outputs of `int8_softmax` from sums: the lanes of a group one after the other, divided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ...blocks.beat import beat
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.pipeline import Pipeline
from .divider import Divider
from .value_stage import sums_layout

if TYPE_CHECKING:
    from .core import Int8Softmax


class Normaliser(Component):
    """``o[d] = round(sum_j p_j (v[j, d] + 128) / sum_j p_j) - 128``, a group at a time.

    Members
    -------
    issued : In(1), sums follow; only while `free`.
    free : Out(1), the outputs of the last group have been taken.
    i : In(`sums_layout`), valid while `i_valid`. i_valid : In(1), high for one cycle.
    o : Out(stream of {data: `lanes` signed values of 8 bits, last}).
    """

    # Cycles from a group's sums to its outputs, beyond one for each lane.
    delay = 1 + Divider.delay

    def __init__(self, config: Int8Softmax) -> None:
        self._config = config
        super().__init__(
            {
                "issued": In(1),
                "free": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "i": In(sums_layout(config)),
                "i_valid": In(1),
                "o": Out(stream.Signature(beat(8 * config.lanes))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        taken = self.o.valid & self.o.ready
        with m.If(taken):
            m.d.sync += self.free.eq(1)
        with m.If(self.issued):
            m.d.sync += self.free.eq(0)

        # The lanes enter the divider in turn.
        m.submodules.turn = turn = LoopNest(lane=config.lanes)
        m.submodules.divider = divider = Divider(config.norm_bits)
        sending = Signal()
        sums = Signal.like(self.i, reset_less=True)
        m.d.comb += [
            turn.step.eq(sending),
            divider.norm.eq(sums.norm),
            divider.i.eq(sums.lanes[: config.acc_bits]),
        ]
        with m.If(turn.lane_last):
            m.d.sync += sending.eq(0)
        with m.If(sending):
            m.d.sync += sums.lanes.eq(sums.lanes >> config.acc_bits)
        with m.If(self.i_valid):
            m.d.sync += [sums.eq(self.i), sending.eq(1)]

        # Their quotients are gathered into a beat.
        pipe = Pipeline(m)
        left = pipe.delay(sending, divider.delay, "left", reset_less=False)
        last = sending & turn.lane_last
        complete = pipe.delay(last, divider.delay, "complete", reset_less=False)
        m.submodules.sent = sent = LoopNest(beat=config.outputs["o"].beats)
        row = Signal(8 * config.lanes, reset_less=True)
        with m.If(left):
            m.d.sync += row.eq(Cat(row, divider.o[:7], ~divider.o[7])[8:])
        with m.If(complete):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        m.d.comb += [
            self.o.payload.data.eq(row),
            self.o.payload.last.eq(sent.beat_last),
            sent.step.eq(taken),
        ]

        return m
