"""What the engine does: entries of event lists, and operations on whole bitmaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from .window import ALONE, Window

if TYPE_CHECKING:
    from ..layers import Attention
    from .layer_operations import LayerOperations

PIECE_BITS = 16
"""Bits of a row that are read at once."""


class Kind(IntEnum):
    """What an entry of an event list does to the accumulators of a group of outputs.

    Each lane has an operand x and an accumulator v. An entry loads x in one cycle, and adds in the
    next. W is the entry's row of the weight memory, ``rest`` a constant of the operation.

    EVENT : v <- v + W, for an input spike; with the attention state or a current instead of W
        where the operation says so, or as v <- max(v, W); or, while learning, the state's word
        itself gains the spikes of V.
    ADD : v <- v + W, for a row that is always added.
    SHIFTED : v <- v + (W << shift).
    OPEN : begins a time step: v <- (v fired ? rest : v >> leak) + (W << shift).
    CAPTURE : x <- v; v <- v + x, which doubles v. The entry before it must not change v.
    FIRST : begins step 0 with the sum of the pixels: x <- v; v <- rest + x. Likewise.
    SOFT : follows the entry that began a step: v <- v + (v had fired then ? rest : 0), for a soft
        reset. The operand stays.
    NEXT : begins a later step with the same operand: v <- (v fired ? rest : v >> leak) + x.

    Where the operation has ternary neurons, two kinds end a step, and where it has relu neurons,
    one kind stands between the bits of a value:

    TEST : as FIRST is coded: v <- v + 2 threshold - 1, which is negative for a spike downwards.
    BACK : as NEXT is coded: undoes it; that sign leaves as the second spike of the step.
    SPLIT : as NEXT is coded: v <- v - s where v fired, else v + s; s is half the threshold at
        first, and half of the last one each time.

    Where the outputs of an operation have different thresholds, two kinds follow the entry that
    began a step instead of SOFT, each with a row of its own:

    LATE : as SOFT is coded: v <- v + (v had fired when the step began ? W : 0).
    LATE_SHIFTED : as CAPTURE is coded: likewise with W << shift.

    Where the operation reads phase codes, these kinds are different:

    EVENT : v <- v + W, or with `fine` v + (W << shift), for an input that spikes upwards.
    MINUS : as CAPTURE is coded: likewise v - W, for one that spikes downwards.
    FADE : as SOFT is coded: v <- v - (v + 2**(fade - 1) >> fade), the division by the base.
    OPEN : v <- v + (W << shift), and a step begins.

    HALVE : as NEXT is coded, where the operation halves its sums: v <- (v >> 1) + W.

    With a soft reset, OPEN and NEXT do not replace v where it fired. The first entry of a list
    replaces v: EVENT and ADD by W, OPEN by rest + (W << shift).
    """

    EVENT = 0
    ADD = 1
    SHIFTED = 2
    OPEN = 3
    CAPTURE = 4
    FIRST = 5
    SOFT = 6
    NEXT = 7

    TEST = 5
    BACK = 7
    SPLIT = 7

    LATE = 6
    LATE_SHIFTED = 4

    MINUS = 4
    FADE = 6
    HALVE = 7


OPENS = (Kind.OPEN, Kind.FIRST, Kind.NEXT)
"""Kinds that begin a time step, and so end the one before."""


class Target(IntEnum):
    """Where the spikes of an operation go."""

    NONE = 0
    WRITE = 1  # to the bitmap memory
    CLEAR = 2  # they clear bits of the bitmap memory: x AND NOT s
    VALUES = 3  # to the memory of V, for attention
    MASK = 4  # they stay in the bitmap memory where they are set: x AND s
    MASK_VALUES = 5  # likewise in the memory of V
    POOL = 6  # no neurons: whether any place of a window spikes, to the bitmap memory
    CURRENTS = 7  # no spikes: the accumulators themselves, to the memory of currents
    DRAW = 8  # no neurons: what the core `ssa` draws, to the bitmap memory
    CODES = 9  # no spikes: the phase codes of the accumulators, to the memory of codes
    HEAD = 10  # no neurons: what a core `spiked` computes, to the memory of codes


IN_VALUES = (Target.VALUES, Target.MASK_VALUES)
UNLISTED = (Target.POOL, Target.DRAW, Target.HEAD)  # of operations without event lists


@dataclass(frozen=True)
class Entry:
    """A fixed entry of an event list: its kind, and its row of the weights of a group."""

    kind: Kind
    row: int = 0


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One pass over the tokens of a bitmap, for some groups of outputs.

    For each token the engine lists the events of `rows` rows of bits (time steps, or planes of
    pixels), then replays the list once for each group of outputs::

        for token in range(tokens):
            for row in range(rows):
                list the entries of `head` (row 0) or `following`
                for part in range(parts):
                    for place in the window of the token, row by row:
                        for word in range(words):
                            for digit in range(digits):
                                list an EVENT for each bit that is set
            list the entries of `tail`
            for group in range(groups):
                replay the list with the weights from address w_base + group * w_pitch

    The row of an EVENT is its bit among those of the part: of all places, or, where the window is
    shared, of its place. With two digits, the rows of a word are followed by those of its high
    digits, whose entries are SHIFTED rather than EVENT. An operation with the target POOL lists
    nothing, but writes a piece for each row: the bits that are set in any place of the window. One
    with the target DRAW is a head of attention "ssa", see `StochasticUnit`, and one with the target
    HEAD a head of attention "spiked", see `PhaseUnit`. With `currents`, each place in the grid is
    one EVENT, whose row is its address.

    With `codes`, a row has a bit for each input that spikes at a step, from the last step to the
    first; all rows of a token are the same words of the memory of codes. With `by_row`, rows are
    tokens and tokens are steps, and each row has a list of its own, so that the sums of all tokens
    are added step by step.

    Addresses of inputs count pieces of 16 bits, words of 16 codes, or words of the memory of
    currents, as seen from w_base; those of outputs count words of the memory, or with the target
    DRAW pieces.

    Parameters
    ----------
    name : of the layer, for people.
    inputs : the signals that are read, one for each part: names of layers, or "image".
    dims : the first dimension of them that is read, and the one behind the last.
    columns : the bit of a part, as counted for the row of an EVENT, of each of these dimensions at
        each place.
    window : the tokens that are read for a token of the output.
    border : the pixel outside of the image, a value for each channel; empty for 0.
    first_token : the first token that is read.
    x_base : address of the first piece.
    words, parts, rows, tokens : see above. digits : of a weight, 1 or 2.
    column_step, line_step, part_step, row_step : added to the address after the last word of a
        place, of a line of places, of a part, and of a row.
    token_step, down_step : likewise of a token, and of the last token of a row of windows. Without
        windows, tokens follow each other as rows do.
    head, following, tail : fixed entries. Each row has at least one.
    w_base, w_pitch : address of the weights, and weight words of a group.
    groups : groups of `lanes` outputs.
    rest : what replaces v after a spike.
    blank : rows have no events, only fixed entries.
    leak : places by which v is shifted between steps.
    soft : a spike subtracts from v, by SOFT, rather than replacing it.
    varied : the neurons have different thresholds: rows of LATE add to `rest`, or with `soft` take
        its place.
    ternary, split : of neurons, see `Kind`; with `split`, every step begins anew.
    state : EVENTs read the attention state rather than weights.
    learn : EVENTs add the spikes of V, times `rest`, to the attention state, which is cleared
        before, unless `state` is set too.
    currents : EVENTs read the memory of currents rather than weights.
    largest : EVENTs do not add, but leave the largest value.
    codes, fine, by_row, fade : of an operation that reads phase codes, see above and `Kind`.
    halves : NEXT is HALVE.
    levels, bipolar : with the target CODES, the number of its levels, and whether there are codes
        of negative sums.
    plane : the bit of the inputs that is read.
    keep : accumulators go on from the operation before.
    target : where spikes go.
    o_base, o_group : first address of the output, and its first group.
    o_rows : rows of a token. o_row : words from one row to the next; tokens follow each other. With
        `learn`, these say where V is read.
    k_base, v_base : with the targets DRAW and HEAD, addresses of the first piece of k and v; x_base
        is that of q.
    seed : with the target DRAW, the number of its seed. core : with the target HEAD, the number of
        its core.
    logits : accumulators that are sent as logits afterwards.
    image : the image is not needed afterwards.
    """

    name: str
    inputs: tuple[str, ...] = ()
    dims: tuple[int, int] = (0, 0)
    columns: tuple[int, ...] = ()
    window: Window = ALONE
    border: tuple[int, ...] = ()
    first_token: int = 0
    x_base: int
    words: int
    digits: int = 1
    parts: int = 1
    rows: int
    tokens: int
    column_step: int = 1
    line_step: int = 1
    part_step: int = 1
    row_step: int = 1
    token_step: int = 1
    down_step: int = 1
    head: tuple[Entry, ...] = ()
    following: tuple[Entry, ...] = ()
    tail: tuple[Entry, ...] = ()
    w_base: int = 0
    w_pitch: int = 0
    groups: int = 1
    rest: int = 0
    blank: bool = False
    leak: int = 0
    soft: bool = False
    varied: bool = False
    ternary: bool = False
    split: bool = False
    state: bool = False
    learn: bool = False
    currents: bool = False
    largest: bool = False
    codes: bool = False
    fine: bool = False
    by_row: bool = False
    fade: int = 0
    halves: bool = False
    levels: int = 0
    bipolar: bool = False
    plane: int = 0
    keep: bool = False
    target: Target = Target.NONE
    o_base: int = 0
    o_group: int = 0
    o_row: int = 0
    o_rows: int = 1
    k_base: int = 0
    v_base: int = 0
    seed: int = 0
    core: int = 0
    logits: int = 0
    image: bool = False

    def __post_init__(self) -> None:
        empty = not self.head or (self.rows > 1 and not self.following)
        if empty and self.target not in UNLISTED:
            raise ValueError(f"operation {self.name}: every row needs a fixed entry")

    # Fields of the table that concern the window

    @property
    def kernel_columns(self) -> int:
        """Places of a line of the window."""
        return self.window.kernel[1]

    @property
    def kernel_rows(self) -> int:
        """Lines of the window."""
        return self.window.kernel[0]

    @property
    def across(self) -> int:
        """Windows in a row of the output."""
        return self.window.across

    @property
    def shared(self) -> bool:
        """Whether all places have the same weights."""
        return self.window.shared

    @property
    def bordered(self) -> bool:
        """Whether the pixel outside is not 0."""
        return any(self.border)

    @property
    def y_first(self) -> int:
        """Row of the first place in the grid that is read."""
        return self.window.first[0]

    @property
    def x_first(self) -> int:
        """Column of the first place."""
        return self.window.first[1]

    @property
    def y_stride(self) -> int:
        """Rows from one window to the next."""
        return self.window.stride[0]

    @property
    def x_stride(self) -> int:
        """Columns from one window to the next."""
        return self.window.stride[1]

    @property
    def y_size(self) -> int:
        """Rows of the grid that is read."""
        return self.window.size[0]

    @property
    def x_size(self) -> int:
        """Columns of the grid that is read."""
        return self.window.size[1]

    @property
    def part_words(self) -> int:
        """Words of a part that have weights of their own, digit by digit."""
        return self.words * self.digits * (1 if self.shared else self.window.places)

    @property
    def pieces(self) -> int:
        """Pieces that are read."""
        return self.tokens * self.rows * self.parts * self.window.places * self.words

    # Fixed entries, and lists

    @property
    def literals(self) -> tuple[Entry, ...]:
        """The fixed entries in the order of the table; equal sequences are stored once."""
        following = () if self.following == self.head else self.following
        return (*self.head, *following, *self.tail)

    @property
    def following_offset(self) -> int:
        """Where `following` begins among the literals."""
        return 0 if self.following in ((), self.head) else len(self.head)

    @property
    def after_offset(self) -> int:
        """Where the entries begin that come after those of the last row: `tail`, or `head`."""
        return len(self.literals) - len(self.tail) if self.tail else 0

    @property
    def lists(self) -> int:
        """Event lists."""
        return self.tokens * (self.rows if self.by_row else 1)

    @property
    def fixed_entries(self) -> int:
        """Fixed entries of a token."""
        return len(self.head) + (self.rows - 1) * len(self.following) + len(self.tail)

    @property
    def longest_list(self) -> int:
        """Entries of a token's list if every bit is set."""
        if self.blank or self.target in UNLISTED:
            return self.fixed_entries
        places = self.window.places if self.shared else 1
        events = self.parts * places * self.digits * len(self.columns)
        if self.by_row:
            return max(len(self.head), len(self.following)) + events
        # A code has one spike.
        return self.fixed_entries + (1 if self.codes else self.rows) * events


def head_operation(
    build: LayerOperations,
    layer: Attention,
    head: int,
    dims: int,
    bases: Mapping[str, int],
    **rest: Any,
) -> Operation:
    """The operation of head number `head`, of `dims` dims, by a core beside the lanes. `bases` has
    where q, k, v and o begin; `rest` are other fields."""
    return Operation(
        name=layer.name,
        inputs=layer.inputs,
        dims=(head * dims, head * dims + dims),
        x_base=bases["q"],
        k_base=bases["k"],
        v_base=bases["v"],
        o_base=bases["o"],
        words=1,
        leak=build.network.embedding.neuron.leak,  # where it does not matter
        **rest,
    )
