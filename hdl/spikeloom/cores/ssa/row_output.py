"""Output queue: blocks of rows in, one row per beat out."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ...blocks.banks import BankWriter
from ...blocks.beat import beat
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.row_splitter import RowSplitter


class RowOutput(Component):
    """Queues blocks of output rows and sends them row by row, with ``last`` at the end of a time
    step.

    Parameters
    ----------
    tokens, width : shape of one time step's output.
    rows : rows of a block; divides `tokens`.
    depth : depth of the queue in blocks.

    Members
    -------
    i : In(BankWriter(0, rows * width)); a bank is a block, written in one cycle.
    o : Out(stream of {data: width bits, last}).
    """

    def __init__(self, tokens: int, width: int, *, rows: int, depth: int) -> None:
        self._tokens = tokens
        self._width = width
        self._rows = rows
        self._depth = depth
        super().__init__(
            {
                "i": In(BankWriter(0, rows * width)),
                "o": Out(stream.Signature(beat(width))),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.queue = queue = SyncFIFO(width=len(self.i.data), depth=self._depth)
        m.submodules.splitter = splitter = RowSplitter(len(self.i.data), self._width)
        # The stubs take the stream for its signature.
        wiring.connect(m, queue.r_stream, splitter.i)  # pyright: ignore[reportArgumentType]
        m.d.comb += [queue.w_data.eq(self.i.data), queue.w_en.eq(self.i.en)]

        reserved = Signal(range(self._depth + 1))
        m.d.sync += reserved.eq(reserved + self.i.reserve - (queue.r_rdy & queue.r_en))
        m.d.comb += self.i.free.eq(reserved != self._depth)

        m.submodules.sent = sent = LoopNest(token=self._tokens)
        m.d.comb += [
            self.o.payload.eq(Cat(splitter.o.payload, sent.token_last)),
            self.o.valid.eq(splitter.o.valid),
            splitter.o.ready.eq(self.o.ready),
            sent.step.eq(self.o.valid & self.o.ready),
        ]

        return m
