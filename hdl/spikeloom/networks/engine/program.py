"""What the compiler makes of a network, and the engine runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..layers.patch_embedding import patches
from .bitmap_memory import word_bits
from .image_layout import ImageLayout
from .listing import listing
from .operation import PIECE_BITS, Operation, Target
from .phase_heads import PhaseHeads
from .row_reader import PLACE_BITS
from .schedule import OUTSIDE, image_cycles, worst_cycles
from .stochastic_heads import StochasticHeads
from .table import Table
from .weight_memory import holds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ...blocks.component import Component


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Operations, weights and sizes of the hardware of one network.

    Parameters
    ----------
    operations : in order.
    weights : int8 (words, lanes), the weight memory.
    loaded : the weights are loaded by a stream, rather than initialised.
    bit_enables : block RAM has a write enable for each bit; see `BitmapMemory`.
    lanes : outputs that are computed at once, a power of two.
    weight_bits : bits of a weight.
    shift : places by which constants are shifted; see `Kind`.
    accumulator_bits : bits of an accumulator.
    steps : time steps T.
    classes : logits. logit_bits : bits of one.
    bitmap_words : words of the bitmap memory.
    image_base : place of the image there, in pieces of 16 bits. image : its rows.
    patch : height and width of a patch. pixel_bits : planes of a pixel.
    lists : event lists that are present at once.
    list_depth : entries in their ring, a power of two.
    state_bits : bits of a count of the attention state, 0 without attention.
    signed_state : counts may be negative, and V may have spikes downwards.
    index_bits : address bits of the state of one step.
    value_words : words of V.
    head_lanes : lanes that a head of an attention takes, all or a part.
    current_bits, current_words : bits of a current, and words of them.
    heads : of attention "ssa", None without any.
    code_words : words of phase codes.
    levels : of the neurons that write them, see `CodeEncoder`.
    phase_heads : of attention "spiked", None without any.
    """

    operations: tuple[Operation, ...]
    weights: NDArray
    loaded: bool
    bit_enables: bool
    lanes: int
    weight_bits: int
    shift: int
    accumulator_bits: int
    steps: int
    classes: int
    logit_bits: int
    bitmap_words: int
    image_base: int
    image: ImageLayout
    patch: tuple[int, ...]
    pixel_bits: int
    lists: int
    list_depth: int
    state_bits: int = 0
    signed_state: bool = False
    index_bits: int = 0
    value_words: int = 0
    head_lanes: int = 0
    current_bits: int = 0
    current_words: int = 0
    heads: StochasticHeads | None = None
    code_words: int = 0
    levels: Sequence[Sequence[int]] = ()
    phase_heads: PhaseHeads | None = None

    def create(self) -> Component:
        """The component."""
        from .engine import Engine

        return Engine(self)

    def listing(self) -> str:
        """The program as text."""
        return listing(self)

    def cycles(
        self, image: NDArray | None = None, spikes: Mapping[str, NDArray] | None = None
    ) -> int:
        """Cycles from start to the label, exact for an image (Y, X, C) of uint8 and the `spikes`
        (T, N, D) of every layer; without them, the maximum."""
        return OUTSIDE + sum(self.layer_cycles(image, spikes).values())

    def layer_cycles(
        self, image: NDArray | None = None, spikes: Mapping[str, NDArray] | None = None
    ) -> dict[str, int]:
        """`cycles` by layer, in the order of computation, without `OUTSIDE`. A residual is computed
        with its branch and not listed."""
        if image is None or spikes is None:
            return worst_cycles(self)
        return image_cycles(self, spikes, patches(image, self.patch) >> (8 - self.pixel_bits))

    @property
    def read_delay(self) -> int:
        """Cycles of a read of weights or bitmaps: where the bitstream initialises block RAM, its
        output registers are used."""
        return 1 if self.loaded else 2

    @property
    def shared_state(self) -> bool:
        """Whether the attention state is in block RAM that the weights leave; its counts take the
        place of weights."""
        if self.loaded or not self.state_bits:
            return False
        bits = self.state_bits + (not self.signed_state)
        return bits <= self.weight_bits and holds(len(self.weights), self.state_words)

    @property
    def state_words(self) -> int:
        """Words of the attention state."""
        return self.steps << self.index_bits

    def uses(self, target: Target) -> bool:
        """Whether spikes of any operation go to `target`."""
        return any(operation.target == target for operation in self.operations)

    @property
    def code_steps(self) -> int:
        """Steps of a phase code, 0 without any."""
        return self.steps if self.code_words else 0

    @property
    def fades(self) -> tuple[int, ...]:
        """The shifts of the phase codes that operations read, in ascending order."""
        return tuple(sorted({one.fade for one in self.operations if one.codes}))

    @cached_property
    def table(self) -> Table:
        """The operations as words of a memory."""
        rows = [entry.row for operation in self.operations for entry in operation.literals]
        events = [operation.part_words * PIECE_BITS - 1 for operation in self.operations]
        return Table(
            self.operations,
            wrap=1 << self.piece_bits,
            row_bits=max(self._current_row_bits, max(*rows, *events).bit_length()),
        )

    @property
    def part_bits(self) -> int:
        """Bits of the number of a piece in its part."""
        most = max(operation.part_words for operation in self.operations)
        return max(1, (most - 1).bit_length(), self._current_row_bits - PLACE_BITS)

    @property
    def operand_addr_bits(self) -> int:
        """Bits of the address of a weight word, or of a word of currents."""
        words = max(len(self.weights), self.current_words)
        return (words - 1).bit_length()

    @property
    def _current_row_bits(self) -> int:
        """Bits of the row of an entry that reads a current, 0 without any: an address."""
        return self.operand_addr_bits if self.current_words else 0

    @property
    def border(self) -> list[list[int]]:
        """The pieces of the pixel outside of the image, by plane, lowest first, and word; empty
        if it is 0."""
        for operation in self.operations:
            if operation.bordered:
                columns = self.image.columns.places
                planes = range(self.pixel_bits)
                rows = [
                    sum(
                        (pixel >> plane & 1) << column
                        for pixel, column in zip(operation.border, columns, strict=True)
                    )
                    for plane in planes
                ]
                words = range(operation.words)
                return [[row >> PIECE_BITS * n & 0xFFFF for n in words] for row in rows]
        return []

    @property
    def bitmap_contents(self) -> list[int]:
        """The first words of the bitmap memory before any image, as far as they are not 0."""
        pieces = self.image.contents() if self.image.position else []
        count = word_bits(self.lanes) // PIECE_BITS
        return [
            sum(piece << PIECE_BITS * n for n, piece in enumerate(pieces[word : word + count]))
            for word in range(0, len(pieces), count)
        ]

    @property
    def cleared_words(self) -> range:
        """The words of the bitmap memory in which operations clear bits."""
        places = [
            (one.o_base, one.o_base + one.tokens * self.steps * one.o_row)
            for one in self.operations
            if one.target in (Target.CLEAR, Target.MASK)
        ]
        return range(min(a for a, _ in places), max(b for _, b in places)) if places else range(0)

    @property
    def piece_bits(self) -> int:
        """Bits of the address of a piece of 16 bits, or of a current."""
        pieces = self.bitmap_words * word_bits(self.lanes) // PIECE_BITS
        codes = max(0, self.code_words - 1)
        return max((pieces - 1).bit_length(), codes.bit_length(), self._current_row_bits)

    @property
    def longest_list(self) -> int:
        """Entries of the longest list of a token."""
        return max(operation.longest_list for operation in self.operations)

    @property
    def weight_words(self) -> list[int]:
        """The weight memory as words, the first lane in the lowest bits."""
        mask = (1 << self.weight_bits) - 1
        codes = self.weights.astype(np.int64) & mask
        return [
            sum(int(code) << self.weight_bits * n for n, code in enumerate(row)) for row in codes
        ]

    def weight_chunks(self) -> NDArray:
        """The beats that load the weights: uint16 (words, chunks of a word), see `WeightMemory`."""
        chunks = -(-self.lanes * self.weight_bits // PIECE_BITS)
        return np.array(
            [
                [word >> PIECE_BITS * n & 0xFFFF for n in range(chunks)]
                for word in self.weight_words
            ],
            np.uint16,
        )
