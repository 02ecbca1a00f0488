"""The trace-driven product with its operand memories: codes of two matrices in, sums out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Module
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out, connect, flipped

from ...blocks.component import Component
from ...blocks.queued_stage import queue_output
from .code import signed_code
from .event_memory import EventMemory
from .lane_memory import LaneMemory, fill_from_stream
from .trace_product import TraceProduct

if TYPE_CHECKING:
    from .core import Spiked


class ProductStage(Component):
    """``o[l, t] = sum_x a[l, x] * b[t, x]`` of one-spike codes: a `TraceProduct` with its operand
    memories, between streams.

    Both operands are double-buffered and accept one code per cycle. A product begins when both
    operands are complete; its events stall with the output stream. All sums of a group of lanes
    leave in one beat. A product takes one cycle per event of a and group of lanes, and one per line
    without spikes.

    Parameters
    ----------
    config : Spiked (tokens, lanes, events, steps, base, frac_bits).
    lines, length : shape of a; b has shape (tokens, length).

    Members
    -------
    i_a : In(stream of codes), line by line.
    i_b : In(stream of codes), token by token.
    o : Out(stream of {sums: array of `lanes` sums in trace units, silent}), line by line: a beat
        per group of lanes, or a single `silent` beat if all sums of the line are zero.
    """

    def __init__(self, config: Spiked, lines: int, length: int) -> None:
        self._config = config = replace(config, encoders=config.lanes)
        self._lines = lines
        self._length = length
        self._shape = signed_code(config.steps)
        self._product = TraceProduct(config, lines, length, shape=self._shape)
        beat = data.StructLayout({"sums": self._product.signature.members["o"].shape, "silent": 1})
        super().__init__(
            {
                "i_a": In(stream.Signature(self._shape)),
                "i_b": In(stream.Signature(self._shape)),
                "o": Out(stream.Signature(beat)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        m.submodules.events = events = EventMemory(
            self._lines,
            self._length,
            steps=config.steps,
            transposed=False,
            ways=config.events,
        )
        m.submodules.lanes = lanes = LaneMemory(
            config.tokens,
            self._length,
            lanes=config.lanes,
            block=1,
            shape=self._shape,
            ways=config.events,
            delay=2,
        )
        m.submodules.product = product = self._product
        connect(m, flipped(self.i_a), events.i)
        fill_from_stream(m, lanes, self.i_b)

        beat = Cat(product.o, product.o_silent)
        valid = product.o_valid | product.o_silent
        room = queue_output(m, beat, valid, self.o, under_way=product.delay + 1)
        connect(m, product.events, events.o)
        connect(m, product.lanes, lanes.o)
        m.d.comb += [product.run.eq(1), product.enable.eq(room), product.room.free.eq(1)]

        return m
