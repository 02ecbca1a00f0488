"""Reads the bitmap of an operation, piece by piece, in the order of the loops."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.pipeline import Pipeline
from ...blocks.skid_buffer import SkidBuffer
from .operation import PIECE_BITS


def piece_layout(word_bits: int) -> data.StructLayout:
    """A piece of a row.

    Fields
    ------
    bits : the piece.
    word : number of the piece in its part, `word_bits` wide.
    begins : the first piece of a row. first : the first one of a token.
    last_row : of the last row of a token. last : the last piece of a token.
    """
    return data.StructLayout(
        {
            "bits": PIECE_BITS,
            "word": word_bits,
            "begins": 1,
            "first": 1,
            "last_row": 1,
            "last": 1,
        }
    )


class RowReader(Component):
    """Issues the reads of an operation, one piece per cycle, and forwards the pieces.

    The first piece leaves `delay` cycles after `go`.

    Parameters
    ----------
    addr_bits : bits of the address of a piece.
    counts : bits of the operation's fields words, parts, rows, tokens (numbers less 1).

    Members
    -------
    go : In(1), begin an operation. The other inputs are constant until its last piece.
    words, parts, rows, tokens : In, iterations of each loop, less 1.
    base, part_step, row_step : In(addr_bits), see `Operation`.
    r_addr : Out(addr_bits), address to read. r_en : Out(1), read.
    r_data : In(16), the piece at the `r_addr` of the last cycle with `r_en`.
    o : Out(stream of `piece_layout`). While it is not valid, the bits of the piece are 0.
    """

    delay = 3

    def __init__(self, *, addr_bits: int, counts: dict[str, int]) -> None:
        self._counts = counts
        super().__init__(
            {
                "go": In(1),
                **{name: In(bits) for name, bits in counts.items()},
                **{name: In(addr_bits) for name in ("base", "part_step", "row_step")},
                "r_addr": Out(addr_bits),
                "r_en": Out(1),
                "r_data": In(PIECE_BITS),
                "o": Out(stream.Signature(piece_layout(counts["words"]))),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # All stages behind the address stop together: memory, output.
        m.submodules.skid = skid = SkidBuffer(len(Value.cast(self.o.payload)))
        pipeline = Pipeline(m, skid.i.ready)
        running, tag = self._issue(m, skid.i.ready)
        read = pipeline.register(running, "read", reset_less=False)
        bits = self.r_data & read.replicate(PIECE_BITS)
        m.d.comb += [
            self.r_en.eq(skid.i.ready),
            skid.i.valid.eq(pipeline.register(read, "valid", reset_less=False)),
            skid.i.payload.eq(Cat(pipeline.register(bits, "bits"), pipeline.delay(tag, 2, "tag"))),
            self.o.valid.eq(skid.o.valid),
            self.o.payload.eq(skid.o.payload),
            skid.o.ready.eq(self.o.ready),
        ]

        return m

    def _issue(self, m: Module, step: Value) -> tuple[Signal, Value]:
        """The loops over pieces. Returns whether one is issued, and its tag: word, begins, first,
        last_row, last."""
        running, addr = Signal(), Signal.like(self.r_addr, reset_less=True)
        word = Signal(self._counts["words"], reset_less=True)
        begins, first = Signal(reset_less=True), Signal(reset_less=True)
        m.d.comb += self.r_addr.eq(addr)

        left, last = {}, {}
        for name, bits in self._counts.items():
            left[name] = Signal(bits, name=f"{name}_left", reset_less=True)
            last[name] = left[name] == 0
        token_last = last["words"] & last["parts"] & last["rows"]

        inner = running & step
        for name in self._counts:
            with m.If(inner):
                m.d.sync += left[name].eq(Mux(last[name], getattr(self, name), left[name] - 1))
            inner = inner & last[name]
        with m.If(running & step):
            jump = Mux(last["parts"], self.row_step, self.part_step)
            m.d.sync += [
                addr.eq(addr + Mux(last["words"], jump, 1)),
                word.eq(Mux(last["words"], 0, word + 1)),
                begins.eq(last["words"] & last["parts"]),
                first.eq(token_last),
            ]
        with m.If(inner):
            m.d.sync += running.eq(0)
        with m.If(self.go):
            m.d.sync += [running.eq(1), addr.eq(self.base), word.eq(0), begins.eq(1), first.eq(1)]
            m.d.sync += [left[name].eq(getattr(self, name)) for name in self._counts]

        tag = Signal(len(word) + 4, name="issued")
        m.d.comb += tag.eq(Cat(word, begins, first, last["rows"], token_last))
        return running, tag
