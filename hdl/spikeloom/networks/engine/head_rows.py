"""Rows of a head's operands from a memory to the streams of a core, and its output back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amaranth.hdl import Array, Const, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from ...blocks.beat import beat
from ...blocks.component import Component
from ...blocks.loop_nest import LoopNest
from ...blocks.pipeline import Pipeline
from ...blocks.row_gatherer import RowGatherer
from ...blocks.row_splitter import RowSplitter

if TYPE_CHECKING:
    from amaranth.hdl import Value

READ = ("k", "v", "q")  # in the order in which a step reads them


@dataclass(frozen=True)
class HeadShape:
    """The rows of a head in memory.

    Parameters
    ----------
    steps, tokens : of each operand and the output; tokens follow each other in memory, and the
        steps of a token.
    word_bits : bits of a word of the memory.
    words : of a head's part of a row of "q", "k", "v" and the output "o".
    pitches : words of a row of all heads, likewise.
    whole : a stream's `last` closes all steps, rather than each one.
    """

    steps: int
    tokens: int
    word_bits: int
    words: Mapping[str, int]
    pitches: Mapping[str, int]
    whole: bool = False

    @property
    def row_words(self) -> int:
        """Words that are read for a row of any operand, so that outputs leave in time."""
        return max(self.words.values())


class HeadRows(Component):
    """Reads one word per cycle, and stops while the core does not take it::

        for step: for operand in K, V, Q: for token: for word of the head

    and writes the words of the output as they come.

    Parameters
    ----------
    shape : HeadShape.
    addr_bits : bits of the address of a word.
    read_delay : of the memory.

    Members
    -------
    go : In(1), begin a head. The addresses are constant until its last write.
    k_base, v_base, q_base, o_base : In(addr_bits), its first word of each.
    k, v, q : Out(stream of {data, last}), a row in a beat.
    o : In(stream of rows).
    r_addr : Out(addr_bits), r_en : Out(1), r_data : In(word_bits), as for `RowReader`.
    w_en : Out(1), w_addr : Out(addr_bits), w_data : Out(word_bits), write a word.
    final : Out(1), the last one is written.
    """

    def __init__(self, shape: HeadShape, *, addr_bits: int, read_delay: int) -> None:
        self._shape = shape
        self._read_delay = read_delay
        row = stream.Signature(beat(shape.row_words * shape.word_bits))
        super().__init__(
            {
                "go": In(1),
                **{f"{name}_base": In(addr_bits) for name in (*READ, "o")},
                **{name: Out(row) for name in READ},
                "o": In(stream.Signature(shape.words["o"] * shape.word_bits)),
                "r_addr": Out(addr_bits),
                "r_en": Out(1),
                "r_data": In(shape.word_bits),
                "w_en": Out(1),
                "w_addr": Out(addr_bits),
                "w_data": Out(shape.word_bits),
                "final": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        shape = self._shape

        # A row goes to the stream of its operand; reading stops while the core does not take it.
        m.submodules.gatherer = gatherer = RowGatherer(shape.word_bits, shape.row_words)
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
            gatherer.o.ready.eq(Array(getattr(self, name).ready for name in READ)[number]),
        ]
        for n, name in enumerate(READ):
            rows = getattr(self, name)
            m.d.comb += [
                rows.payload.eq(row),
                rows.valid.eq(gatherer.o.valid & (number == n)),
            ]
        self._write(m)

        return m

    def _read(self, m, advance):
        """Addresses of words. Returns whether one is read, its operand, and whether it is in the
        last row of a step, or of all."""
        shape = self._shape
        m.submodules.reads = reads = LoopNest(
            time=shape.steps, operand=len(READ), token=shape.tokens, word=shape.row_words
        )
        reading = Signal()
        m.d.comb += reads.step.eq(reading & advance)

        # Where the current step of each operand begins, and the next one.
        starts, to_row = [], []
        for name in READ:
            pitch, base = shape.pitches[name], getattr(self, f"{name}_base")
            start = Signal.like(base, name=f"{name}_start", reset_less=True)
            with m.If(self.go):
                m.d.sync += start.eq(base)
            with m.Elif(reads.step & reads.operand_last):
                m.d.sync += start.eq(start + pitch)
            starts.append(start + pitch if name == READ[0] else start)
            to_row.append(_jump(shape.steps * pitch - shape.row_words + 1, base))

        following = Array((*starts[1:], starts[0]))[reads.operand]
        jump = Mux(reads.word_last, Array(to_row)[reads.operand], 1)
        with m.If(reads.step):
            m.d.sync += self.r_addr.eq(Mux(reads.token_last, following, self.r_addr + jump))
            with m.If(reads.time_last):
                m.d.sync += reading.eq(0)
        with m.If(self.go):
            m.d.sync += [reading.eq(1), self.r_addr.eq(self.k_base)]

        last = reads.token_last
        if shape.whole:
            last = last & (reads.time == shape.steps - 1)
        return reading, reads.operand, last

    def _write(self, m):
        """The rows of the output, word by word."""
        shape, words = self._shape, self._shape.words["o"]
        steps, tokens, pitch = shape.steps, shape.tokens, shape.pitches["o"]
        m.submodules.splitter = splitter = RowSplitter(words * shape.word_bits, shape.word_bits)
        m.submodules.writes = writes = LoopNest(time=steps, token=tokens, word=words)
        m.d.comb += [
            splitter.i.payload.eq(self.o.payload),
            splitter.i.valid.eq(self.o.valid),
            self.o.ready.eq(splitter.i.ready),
            splitter.o.ready.eq(1),
            self.w_en.eq(splitter.o.valid),
            self.w_data.eq(splitter.o.payload),
            writes.step.eq(self.w_en),
            self.final.eq(self.w_en & writes.time_last),
        ]
        to_row = steps * pitch - words + 1
        to_step = to_row + pitch - tokens * steps * pitch
        jump = Mux(writes.token_last, _jump(to_step, self.w_addr), _jump(to_row, self.w_addr))
        jump = Mux(writes.word_last, jump, 1)
        with m.If(self.w_en):
            m.d.sync += self.w_addr.eq(self.w_addr + jump)
        with m.If(self.go):
            m.d.sync += self.w_addr.eq(self.o_base)


def _jump(words, addr):
    """A number that moves `addr`, which wraps around, by `words`."""
    return Const(words % (1 << len(addr)), len(addr))


def unit_members(number: str, count: int, *, addr_bits: int, word_bits: int) -> dict[str, Any]:
    """Members of a unit that computes a head: it has `HeadRows` inside, whose members these are,
    `busy` and the input `number`, which is below `count` and tells heads apart."""
    return {
        "go": In(1),
        number: In(range(count)),
        **{f"{name}_base": In(addr_bits) for name in (*READ, "o")},
        "busy": Out(1),
        "r_addr": Out(addr_bits),
        "r_en": Out(1),
        "r_data": In(word_bits),
        "w_en": Out(1),
        "w_addr": Out(addr_bits),
        "w_data": Out(word_bits),
        "final": Out(1),
    }


def connect_rows(m: Module, unit: Any, rows: HeadRows) -> None:
    """Connect addresses and memory of a unit to its rows; it is busy until the last write."""
    for name in ("go", "k_base", "v_base", "q_base", "o_base", "r_data"):
        m.d.comb += getattr(rows, name).eq(getattr(unit, name))
    for name in ("r_addr", "r_en", "w_en", "w_addr", "w_data", "final"):
        m.d.comb += getattr(unit, name).eq(getattr(rows, name))
    with m.If(unit.go | unit.final):
        m.d.sync += unit.busy.eq(unit.go)


def connect_operand(m: Module, rows: Any, operand: Any, when: Value | None = None) -> None:
    """Send rows to a core, `when` it is the one; what it does not need of a row is left out."""
    chosen = Const(1) if when is None else when
    m.d.comb += [
        operand.payload.data.eq(rows.payload.data),
        operand.payload.last.eq(rows.payload.last),
        operand.valid.eq(rows.valid & chosen),
    ]
    with m.If(chosen):
        m.d.comb += rows.ready.eq(operand.ready)
