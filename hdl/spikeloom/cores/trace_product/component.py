"""The trace-driven product between streams: codes of two matrices in, all sums out."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.queued_stage import queue_output
from ..spiked.code import signed_code
from ..spiked.core import Spiked
from ..spiked.event_memory import EventMemory
from ..spiked.lane_memory import LaneMemory, fill_from_stream
from ..spiked.trace_product import TraceProduct


class ProductStream(Component):
    """``o[l, t] = sum_x a[l, x] * b[t, x]`` of one-spike codes: a `TraceProduct` with its operand
    memories and a queue of sums.

    Both operands are taken one code per cycle and kept until their last use; those of the next
    product can enter then. A product begins when both are loaded. Each line of a takes, for each
    group of lanes, one cycle per spike and at least one. The sums of a group leave in one beat;
    those of a line without spikes are zeros.

    Parameters
    ----------
    config : Spiked (tokens, lanes = encoders, steps, base, frac_bits).
    lines, length : shape of a; b has shape (tokens, length).

    Members
    -------
    a : In(stream of codes), line by line.
    b : In(stream of codes), token by token.
    o : Out(stream of array of `lanes` sums in trace units), line by line, token by token; lanes
        beyond the last token are undefined.
    """

    def __init__(self, config: Spiked, lines: int, length: int) -> None:
        self._config = config
        self._lines = lines
        self._length = length
        self._shape = signed_code(config.steps)
        self._product = TraceProduct(config, lines, length, shape=self._shape)
        super().__init__(
            {
                "a": In(stream.Signature(self._shape)),
                "b": In(stream.Signature(self._shape)),
                "o": Out(stream.Signature(self._product.signature.members["o"].shape)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config

        m.submodules.events = events = EventMemory(
            self._lines, self._length, steps=config.steps, transposed=False, banks=1
        )
        m.submodules.lanes = lanes = LaneMemory(
            config.tokens,
            self._length,
            lanes=config.lanes,
            block=1,
            shape=self._shape,
            banks=1,
            delay=2,
        )
        m.submodules.product = product = self._product
        wiring.connect(m, wiring.flipped(self.a), events.i)
        fill_from_stream(m, lanes, self.b)

        # A silent line is one event; events stall while it is repeated for the other groups. Its
        # zeros have the same delay as a product.
        silent = product.events.next & product.events.event.silent
        repeats = Signal(range(config.groups))
        repeat, room = Signal(), Signal()
        zeros = Signal(product.delay)
        m.d.comb += repeat.eq(room & (repeats != 0))
        with m.If(silent):
            m.d.sync += repeats.eq(config.groups - 1)
        with m.Elif(repeat):
            m.d.sync += repeats.eq(repeats - 1)
        m.d.sync += zeros.eq(Cat(silent | repeat, zeros))

        sums = Mux(zeros[-1], 0, product.o.as_value())
        valid = product.o_valid | zeros[-1]
        m.d.comb += room.eq(queue_output(m, sums, valid, self.o, under_way=product.delay + 1))
        wiring.connect(m, product.events, events.o)
        wiring.connect(m, product.lanes, lanes.o)
        m.d.comb += [
            product.run.eq(1),
            product.enable.eq(room & (repeats == 0)),
            product.room.free.eq(1),
        ]

        return m
