"""The core `ssa` beside the engine: rows of bitmaps to its streams, and its output back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Array, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.pipeline import Pipeline
from ...blocks.row_gatherer import RowGatherer
from ...blocks.row_splitter import RowSplitter
from .operation import PIECE_BITS

if TYPE_CHECKING:
    from .stochastic_heads import StochasticHeads

READ = ("k", "v", "q")  # in the order in which a step reads them


class StochasticUnit(Component):
    """Computes one head of attention "ssa" by the core of engine "sampled".

    Reads one piece of 16 bits per cycle::

        for step: for operand in K, V, Q: for token: for piece of the head

    and writes the spikes of a token when the core has them, behind the reading of Q, so that they
    may replace it. `StochasticHeads.cycles` are exact.

    Parameters
    ----------
    heads : StochasticHeads.
    addr_bits : bits of the address of a piece.
    read_delay : of the bitmap memory.

    Members
    -------
    go : In(1), begin a head. The other inputs are constant until its last write.
    seed : In, number of its seed.
    k_base, v_base, q_base, o_base : In(addr_bits), its first piece in each bitmap.
    busy : Out(1), high from the cycle after `go` to the last write: it reads the memory.
    r_addr : Out(addr_bits), r_en : Out(1), r_data : In(16), as for `RowReader`.
    w_en : Out(1), w_addr : Out(addr_bits), w_data : Out(16), write a piece.
    final : Out(1), the last one is written.
    """

    def __init__(self, heads: StochasticHeads, *, addr_bits: int, read_delay: int) -> None:
        self._heads = heads
        self._read_delay = read_delay
        addresses = ("k_base", "v_base", "q_base", "o_base")
        super().__init__(
            {
                "go": In(1),
                "seed": In(range(len(heads.seeds))),
                **{name: In(addr_bits) for name in addresses},
                "busy": Out(1),
                "r_addr": Out(addr_bits),
                "r_en": Out(1),
                "r_data": In(PIECE_BITS),
                "w_en": Out(1),
                "w_addr": Out(addr_bits),
                "w_data": Out(PIECE_BITS),
                "final": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        heads = self._heads

        core: Any = heads.core.create()
        m.submodules.core = core
        seeds = Array(Const(seed, 64) for seed in heads.seeds)
        m.d.comb += [core.start.eq(self.go), core.seed.eq(seeds[self.seed])]

        # A row goes to the stream of its operand; reading stops while the core does not take it.
        m.submodules.gatherer = gatherer = RowGatherer(PIECE_BITS, heads.row_pieces)
        advance = gatherer.i.ready
        reading, operand, last = self._read(m, advance)
        pipeline = Pipeline(m, advance)
        read = pipeline.delay(reading, self._read_delay, "read", reset_less=False)
        number = pipeline.delay(operand, self._read_delay + gatherer.delay, "row_operand")
        row = gatherer.o.payload
        m.d.comb += [
            self.r_en.eq(advance),
            gatherer.i.valid.eq(read),
            gatherer.i.payload.data.eq(self.r_data),
            gatherer.i.payload.last.eq(pipeline.delay(last, self._read_delay, "last")),
            gatherer.o.ready.eq(Array(getattr(core, name).ready for name in READ)[number]),
        ]
        for n, name in enumerate(READ):
            rows = getattr(core, name)
            m.d.comb += [
                rows.payload.data.eq(row.data),
                rows.payload.last.eq(row.last),
                rows.valid.eq(gatherer.o.valid & (number == n)),
            ]
        self._write(m, core.o)
        with m.If(self.go | self.final):
            m.d.sync += self.busy.eq(self.go)

        return m

    def _read(self, m, advance):
        """Addresses of pieces. Returns whether one is read, its operand, and whether it is in the
        last row of a step."""
        heads = self._heads
        steps, tokens = heads.core.steps, heads.core.tokens
        m.submodules.reads = reads = LoopNest(
            time=steps, operand=len(READ), token=tokens, piece=heads.row_pieces
        )
        reading = Signal()
        m.d.comb += reads.step.eq(reading & advance)

        # Where the current step of each operand begins, and the next one.
        starts, to_row = [], []
        for name in READ:
            pitch, base = heads.pitches[name], getattr(self, f"{name}_base")
            start = Signal.like(base, name=f"{name}_start", reset_less=True)
            with m.If(self.go):
                m.d.sync += start.eq(base)
            with m.Elif(reads.step & reads.operand_last):
                m.d.sync += start.eq(start + pitch)
            starts.append(start + pitch if name == READ[0] else start)
            to_row.append(_jump(steps * pitch - heads.row_pieces + 1, base))

        following = Array((*starts[1:], starts[0]))[reads.operand]
        jump = Mux(reads.piece_last, Array(to_row)[reads.operand], 1)
        with m.If(reads.step):
            m.d.sync += self.r_addr.eq(Mux(reads.token_last, following, self.r_addr + jump))
            with m.If(reads.time_last):
                m.d.sync += reading.eq(0)
        with m.If(self.go):
            m.d.sync += [reading.eq(1), self.r_addr.eq(self.k_base)]

        return reading, reads.operand, reads.token_last

    def _write(self, m, rows):
        """The spikes of each token, piece by piece."""
        heads = self._heads
        steps, tokens, pieces = heads.core.steps, heads.core.tokens, heads.pieces("o")
        m.submodules.splitter = splitter = RowSplitter(pieces * PIECE_BITS, PIECE_BITS)
        m.submodules.writes = writes = LoopNest(time=steps, token=tokens, piece=pieces)
        m.d.comb += [
            splitter.i.payload.eq(rows.payload.data),
            splitter.i.valid.eq(rows.valid),
            rows.ready.eq(splitter.i.ready),
            splitter.o.ready.eq(1),
            self.w_en.eq(splitter.o.valid),
            self.w_data.eq(splitter.o.payload),
            writes.step.eq(self.w_en),
            self.final.eq(self.w_en & writes.time_last),
        ]
        pitch = heads.pitches["o"]
        to_row = steps * pitch - pieces + 1
        to_step = to_row + pitch - tokens * steps * pitch
        jump = Mux(writes.token_last, _jump(to_step, self.w_addr), _jump(to_row, self.w_addr))
        jump = Mux(writes.piece_last, jump, 1)
        with m.If(self.w_en):
            m.d.sync += self.w_addr.eq(self.w_addr + jump)
        with m.If(self.go):
            m.d.sync += self.w_addr.eq(self.o_base)


def _jump(pieces, addr):
    """A number that moves `addr`, which wraps around, by `pieces`."""
    return Const(pieces % (1 << len(addr)), len(addr))
