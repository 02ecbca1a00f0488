"""Reads the bitmap of an operation, piece by piece, in the order of the loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...blocks.component import Component
from ...blocks.pipeline import Pipeline
from ...blocks.skid_buffer import SkidBuffer
from .code_memory import word_of_codes
from .operation import PIECE_BITS
from .table import POSITIONS
from .window_position import WindowPosition

PLACE_BITS = (PIECE_BITS - 1).bit_length()


def piece_layout(word_bits: int, *, codes: bool = False) -> data.StructLayout:
    """A piece of a row.

    Fields
    ------
    bits : the piece.
    word : number of the piece in its part, `word_bits` wide.
    begins : the first piece of a row. first : the first one of a token.
    last_row : of the last row of a token. last : the last piece of a token, or of a row that has a
        list of its own.
    down : only with `codes`: the bits of inputs that spike downwards.
    """
    return data.StructLayout(
        {
            "bits": PIECE_BITS,
            "word": word_bits,
            "begins": 1,
            "first": 1,
            "last_row": 1,
            "last": 1,
            **({"down": PIECE_BITS} if codes else {}),
        }
    )


class RowReader(Component):
    """Issues the reads of an operation, one piece per cycle, and forwards the pieces.

    The first piece leaves ``2 + read_delay`` cycles after `go`. Where the places of windows are
    outside of the grid, the pieces are 0, or those of the border.

    Parameters
    ----------
    addr_bits : bits of the address of a piece.
    counts : bits of the operation's fields that are numbers less 1, of the innermost loop first:
        with weights of two digits digits, words, with windows kernel_columns and kernel_rows,
        parts, rows, tokens. A piece is read for each digit.
    part_bits : bits of the number of a piece in its part.
    windows : bits of the other fields about windows, see `Operation`; none without any.
    border : the pieces of the pixel outside, by plane (lowest first) and word.
    currents : whether any operation reads them.
    code_steps : steps of the phase codes that operations read, 0 without any.
    read_delay : of the memories.

    Members
    -------
    go : In(1), begin an operation. The other inputs are constant until its last piece.
    words, parts, ... : In, iterations of each loop, less 1.
    base, part_step, row_step : In(addr_bits), see `Operation`; with windows also their fields.
    currents : In(1), the operation reads currents: the piece is 0 outside, otherwise one bit of it
        is set, so that 16 times the number of the piece, and the bit, are the address.
    Only with phase codes:
    codes, by_row : In(1), token_step : In(addr_bits), see `Operation`.
    r_codes : In, a word of codes instead of `r_data`.
    Always:
    r_addr : Out(addr_bits), address to read. r_en : Out(1), read.
    r_data : In(16), the piece at the `r_addr` of `read_delay` cycles with `r_en` before.
    o : Out(stream of `piece_layout`).
    """

    def __init__(
        self,
        *,
        addr_bits: int,
        counts: dict[str, int],
        part_bits: int,
        windows: Mapping[str, int],
        read_delay: int,
        border: Sequence[Sequence[int]] = (),
        currents: bool = False,
        code_steps: int = 0,
    ) -> None:
        self._counts = counts
        self._part_bits = part_bits
        self._windows = windows
        self._border = border
        self._currents = currents
        self._code_steps = code_steps
        self._read_delay = read_delay
        codes = {}
        if code_steps:
            codes = {"codes": In(1), "by_row": In(1), "r_codes": In(word_of_codes(code_steps))}
            codes["token_step"] = In(addr_bits)
        super().__init__(
            {
                "go": In(1),
                **{name: In(bits) for name, bits in counts.items()},
                **{name: In(addr_bits) for name in ("base", "part_step", "row_step")},
                **{name: In(bits) for name, bits in windows.items()},
                "currents": In(1),
                **codes,
                "r_addr": Out(addr_bits),
                "r_en": Out(1),
                "r_data": In(PIECE_BITS),
                "o": Out(stream.Signature(piece_layout(part_bits, codes=code_steps > 0))),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # All stages behind the address stop together: memory, output.
        m.submodules.skid = skid = SkidBuffer(len(Value.cast(self.o.payload)))
        pipeline = Pipeline(m, skid.i.ready)
        running, tag, step, outside, border = self._issue(m, skid.i.ready)
        delay = self._read_delay
        read = pipeline.delay(running, delay, "read", reset_less=False)
        bits = self.r_data
        if self._currents:
            low = pipeline.delay(self.r_addr[:PLACE_BITS], delay, "low")
            bits = Mux(self.currents, (1 << low)[:PIECE_BITS], bits)
        signs = []
        if self._code_steps:
            step = pipeline.delay(step, delay, "step")
            spikes = Cat(code.spike & (code.step == step) for code in self.r_codes)
            bits = Mux(self.codes, spikes, bits)
            down = Cat(code.sign for code in self.r_codes) & self.codes.replicate(PIECE_BITS)
            signs = [pipeline.register(down, "signs")]
        if self._windows:
            inside = ~pipeline.delay(outside, delay, "outside").replicate(PIECE_BITS)
            bits = bits & inside | pipeline.delay(border, delay, "border")
        bits = pipeline.register(bits, "bits")
        m.d.comb += [
            self.r_en.eq(skid.i.ready),
            skid.i.valid.eq(pipeline.register(read, "valid", reset_less=False)),
            skid.i.payload.eq(Cat(bits, pipeline.delay(tag, 1 + delay, "tag"), *signs)),
            self.o.valid.eq(skid.o.valid),
            self.o.payload.eq(skid.o.payload),
            skid.o.ready.eq(self.o.ready),
        ]

        return m

    def _issue(self, m: Module, step: Value) -> tuple[Value, Value, Value, Value, Value]:
        """The loops over pieces. Returns whether one is issued; its tag: word, begins, first,
        last_row, last; its step, of phase codes; whether it is outside of the grid, and its bits
        there."""
        running, addr = Signal(), Signal.like(self.r_addr, reset_less=True)
        word = Signal(self._part_bits, reset_less=True)
        begins, first = Signal(reset_less=True), Signal(reset_less=True)
        m.d.comb += self.r_addr.eq(addr)

        # For each loop: the iterations left, whether it is the last one, and also that of all inner
        # loops.
        left, last, over = {}, {}, {}
        inner: Value = running & step
        for name, bits in self._counts.items():
            left[name] = Signal(bits, name=f"{name}_left", reset_less=True)
            last[name] = left[name] == 0
            with m.If(inner):
                m.d.sync += left[name].eq(Mux(last[name], getattr(self, name), left[name] - 1))
            inner = inner & last[name]
            before = [last[one] for one in left]
            over[name] = reduce(and_, before)
        last_of_list = over["rows"]
        if self._code_steps:
            last_of_list = last_of_list | (self.by_row & over["parts"])
        with m.If(running & step):
            m.d.sync += [begins.eq(over["parts"]), first.eq(last_of_list)]
        with m.If(inner):
            m.d.sync += running.eq(0)

        after_part = Mux(last["parts"], self.row_step, self.part_step)
        if self._code_steps:
            after_part = Mux(self.codes & over["rows"], self.token_step, after_part)
        jump, part_over = Mux(last["words"], after_part, 1), over["words"]
        outside: Value = Const(0)
        border: Value = Const(0, PIECE_BITS)
        if self._windows:
            position = self._follow(m, running & step, over)
            jump, part_over = self._window_jump(over, position.down)
            outside = position.outside
            border = self._border_bits(left["rows"], left["words"], outside & running)
        with m.If(running & step):
            m.d.sync += word.eq(Mux(part_over, 0, word + 1))
        with m.If(running & step & over.get("digits", 1)):
            m.d.sync += addr.eq(addr + jump)
        with m.If(self.go):
            m.d.sync += [running.eq(1), addr.eq(self.base), word.eq(0), begins.eq(1), first.eq(1)]
            m.d.sync += [left[name].eq(getattr(self, name)) for name in self._counts]

        if self._currents:
            word = Mux(self.currents, addr[PLACE_BITS:], word)[: self._part_bits]
        tag = Signal(len(word) + 4, name="issued")
        m.d.comb += tag.eq(Cat(word, begins, first, last["rows"], last_of_list))
        time: Value = Const(0)
        if self._code_steps:
            time = Mux(self.by_row, left["tokens"], left["rows"])
        return running, tag, time, outside, border

    def _follow(self, m, step, over):
        """The position of the piece in the grid."""
        m.submodules.position = position = WindowPosition(
            self._windows["x_size"], self._windows["across"]
        )
        m.d.comb += [
            position.go.eq(self.go),
            position.across.eq(self.across),
            *(getattr(position, name).eq(getattr(self, name)) for name in POSITIONS),
            position.place.eq(step & over["words"]),
            position.line.eq(step & over["kernel_columns"]),
            position.window.eq(step & over["kernel_rows"]),
            position.token.eq(step & over["rows"]),
        ]
        return position

    def _window_jump(self, over, down):
        """What is added to the address, and whether the next piece is the first one of a part or,
        in a shared window, of a place."""
        jump = Mux(down, self.down_step, self.token_step)
        for loop, step in (
            ("rows", self.row_step),
            ("parts", self.part_step),
            ("kernel_rows", self.line_step),
            ("kernel_columns", self.column_step),
            ("words", 1),
        ):
            jump = Mux(over[loop], jump, step)
        return jump, Mux(self.shared, over["words"], over["kernel_rows"])

    def _border_bits(self, plane, words_left, outside):
        """The bits of a piece outside."""
        if not self._border:
            return Const(0, PIECE_BITS)
        rows = [Array(row[::-1])[words_left] for row in self._border]
        shown = (outside & self.bordered).replicate(PIECE_BITS)
        return Array(rows)[plane] & shown
