"""The table of operations in memory: fields, their widths, and the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..ranges import Range
from .operation import Entry, Operation, Target

if TYPE_CHECKING:
    from amaranth.hdl import Value

WORD_BITS = 16  # of the table: the width of a small block RAM

# Fields of an operation. Counts are stored less 1, because counters end at 0.
COUNTS = ("words", "parts", "rows", "tokens", "groups", "o_rows")
STEPS = ("part_step", "row_step")
ADDRESSES = ("x_base", *STEPS, "o_base", "o_row", "o_group")
LANES = (
    "w_base",
    "w_pitch",
    "blank",
    "rest",
    "leak",
    "soft",
    "ternary",
    "split",
    "state",
    "learn",
    "keep",
    "currents",
    "largest",
    "target",
    "logits",
)
HEADS = ("k_base", "v_base", "seed")  # of attention "ssa"
# Fields about windows, of networks that have any.
WINDOW_COUNTS = ("kernel_columns", "kernel_rows", "across")
WINDOW_STEPS = ("column_step", "line_step", "token_step", "down_step")
POSITIONS = ("x_first", "x_stride", "x_size", "y_first", "y_stride", "y_size")
WINDOWS = (*WINDOW_COUNTS, *WINDOW_STEPS, *POSITIONS, "shared", "bordered")
# Of networks that have such neurons, or weights of two digits.
VARIED = ("varied",)
DIGITS = ("digits",)
HALVES = ("halves",)
CODES = ("codes", "fine", "by_row", "fade", "levels", "bipolar", "core", "lists", "token_step")
STORED = (*COUNTS, *ADDRESSES, *LANES, *HEADS, "image", "following_offset", "after_offset")


@dataclass(frozen=True)
class Table:
    """Operations as words of a memory.

    An operation takes `operation_words` words with its fields, lowest bits first, then a word for
    each of its fixed entries. A field that has the same value in all operations takes no bits; the
    hardware has it as a constant.

    Parameters
    ----------
    operations : in order; the last one ends the run.
    wrap : power of two to which addresses and steps of inputs wrap around.
    row_bits : bits of the row of an entry.
    """

    operations: tuple[Operation, ...]
    wrap: int
    row_bits: int

    def values(self, operation: Operation) -> dict[str, int]:
        """Every field of an operation as an unsigned number."""
        stored = STORED + (WINDOWS if self.windows else ()) + (VARIED if self.varied else ())
        stored += DIGITS if self.digits else ()
        stored += HALVES if self.halves else ()
        stored += CODES if self.codes else ()
        values = {name: int(getattr(operation, name)) for name in stored}
        for name in (*COUNTS, *WINDOW_COUNTS, *DIGITS, "lists"):
            if name in values:
                values[name] -= 1
        for names, wrap in (
            (("x_base", *STEPS, *WINDOW_STEPS), self.wrap),
            (POSITIONS, 1 << self.position_bits),
        ):
            for name in values.keys() & {*names}:
                values[name] %= wrap
        values["rest"] %= 1 << self.rest_bits
        return values | {
            "tailed": int(bool(operation.tail)),
            "literal_count": len(operation.literals),
            "final": int(operation is self.operations[-1]),
        }

    @cached_property
    def windows(self) -> bool:
        """Whether any operation reads windows."""
        return any(operation.window.windows for operation in self.operations)

    @cached_property
    def varied(self) -> bool:
        """Whether the neurons of any operation have different thresholds."""
        return any(operation.varied for operation in self.operations)

    @cached_property
    def digits(self) -> bool:
        """Whether any operation has weights of two digits."""
        return any(operation.digits > 1 for operation in self.operations)

    @cached_property
    def halves(self) -> bool:
        """Whether any operation halves its sums."""
        return any(operation.halves for operation in self.operations)

    @cached_property
    def codes(self) -> bool:
        """Whether any operation reads phase codes or writes them."""
        targets = (Target.CODES, Target.HEAD)
        return any(one.codes or one.target in targets for one in self.operations)

    @cached_property
    def position_bits(self) -> int:
        """Bits of a row or column of a grid, which wraps around outside."""
        ends = [
            size - first
            for operation in self.operations
            for size, first in zip(operation.window.size, operation.window.first, strict=True)
        ]
        return max(ends).bit_length()

    @property
    def rest_bits(self) -> int:
        """Bits of `rest`; hardware extends its sign."""
        return max(Range(one.rest, one.rest).bits for one in self.operations)

    @property
    def widths(self) -> dict[str, int]:
        """Bits of each field; 0 for a constant."""
        rows = [self.values(operation) for operation in self.operations]
        widths = {}
        for name in rows[0]:
            found = {row[name] for row in rows}
            widths[name] = max(found).bit_length() if len(found) > 1 else 0
        return widths

    @property
    def operation_bits(self) -> int:
        """Bits of the fields of an operation."""
        return sum(self.widths.values())

    @property
    def operation_words(self) -> int:
        """Words of the fields of an operation."""
        return max(1, -(-self.operation_bits // self.word_bits))

    @property
    def entry_bits(self) -> int:
        """Bits of an entry: kind and row."""
        return 3 + self.row_bits

    @property
    def word_bits(self) -> int:
        """Bits of a word of the table: an entry, and the mark of the last one of a sequence."""
        return max(WORD_BITS, self.entry_bits + 1)

    def words(self) -> list[int]:
        """The contents of the memory."""
        words = []
        widths, mask = self.widths, (1 << self.word_bits) - 1
        for operation in self.operations:
            code = place = 0
            for name, value in self.values(operation).items():
                if widths[name]:
                    code |= value << place
                place += widths[name]
            words += [code >> self.word_bits * n & mask for n in range(self.operation_words)]
            sequences: list[Sequence[Entry]] = [operation.head]
            if operation.following_offset:
                sequences.append(operation.following)
            for sequence in (*sequences, operation.tail):
                for left, entry in enumerate(sequence, 1 - len(sequence)):
                    words.append(self.literal(entry, last=left == 0))
        return words

    def entry(self, entry: Entry) -> int:
        """The code of an entry in a list."""
        return int(entry.kind) | entry.row << 3

    def literal(self, entry: Entry, *, last: bool) -> int:
        """The code of a fixed entry in the table."""
        return self.entry(entry) | int(last) << self.entry_bits

    @property
    def shapes(self) -> dict[str, int]:
        """Bits of each field in hardware, at least 1; also those of constants."""
        first = self.values(self.operations[0])
        return {
            name: width or max(1, first[name].bit_length()) for name, width in self.widths.items()
        }

    def fields(self, code: Value) -> dict[str, Value]:
        """Every field of the operation whose words are in `code`, for hardware."""
        from amaranth.hdl import Const

        first, place = self.values(self.operations[0]), 0
        fields: dict[str, Value] = {}
        for name, width in self.widths.items():
            fields[name] = code[place : place + width] if width else Const(first[name])
            place += width
        return fields
