"""The trace-driven product on its own: codes of two matrices in, sums out."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...blocks.queued_stage import queue_output
from .code import signed_code
from .event_memory import EventMemory
from .lane_memory import LaneMemory
from .trace_product import PRODUCT_DELAY, TraceProduct, join_operands


class ProductStage(wiring.Component):
    """``o[l, t] = sum_x a[l, x] * b[t, x]`` of one-spike codes: a `TraceProduct` with its operand
    memories, between streams.

    Both operands are double-buffered and taken one code per clock. A product begins when both are
    there, and waits with its events while the taker of the sums is too slow.

    Parameters
    ----------
    config : SpikedConfig (tokens, lanes, encoders, steps, base, frac_bits).
    lines, length : shape of a; b has shape (tokens, length).

    Members
    -------
    i_a : In(stream of codes), line by line.
    i_b : In(stream of codes), token by token.
    o : Out(stream of array of `encoders` sums in trace units), line by line, each of
        ``ceil(tokens / encoders)`` blocks.
    """

    def __init__(self, config, lines, length):
        self._config = config
        self._lines = lines
        self._length = length
        self._shape = signed_code(config.steps)
        self._product = TraceProduct(config, lines, length, shape=self._shape)
        super().__init__(
            {
                "i_a": In(stream.Signature(self._shape)),
                "i_b": In(stream.Signature(self._shape)),
                "o": Out(stream.Signature(self._product.signature.members["o"].shape)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        m.submodules.events = events = EventMemory(
            self._lines, self._length, steps=config.steps, transposed=False
        )
        m.submodules.lanes = lanes = LaneMemory(
            config.tokens, self._length, lanes=config.lanes, block=1, shape=self._shape
        )
        m.submodules.product = product = self._product
        connect(m, flipped(self.i_a), events.i)
        m.d.comb += [
            lanes.i.eq(self.i_b.p),
            self.i_b.ready.eq(~lanes.i_first | lanes.free),
            lanes.i_valid.eq(self.i_b.valid & self.i_b.ready),
            lanes.reserve.eq(lanes.i_valid & lanes.i_first),
        ]

        # Sums that may be under way when events stop: those of the last event, one block per clock.
        under_way = PRODUCT_DELAY + config.lanes // config.encoders
        room = queue_output(m, product, self.o, under_way)
        join_operands(m, product, events, lanes, room)
        m.d.comb += [product.run.eq(1), product.o_free.eq(1)]

        return m
