"""A core's streams as tensors: shape, elements per beat, and the axis that `last` closes.

Every tool that transfers tensors to and from a core (simulators, netlists, boards, reports) uses
its ports; no core packs bits itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError
from .item import Item

if TYPE_CHECKING:
    from amaranth.lib import stream
    from numpy.typing import ArrayLike, NDArray

AXES = {
    "T": "steps",
    "B": "batch",
    "H": "heads",
    "N": "tokens",
    "D": "dims",
    "Y": "rows",
    "X": "columns",
    "C": "channels or classes",
}


@dataclass(frozen=True)
class Flag:
    """A status output of a core, cleared by reset: a flag, or a counter of `bits` bits, which stays
    at its greatest number."""

    meaning: str
    bits: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "meaning", " ".join(self.meaning.split()))  # one line

    def after(self, before: int, run: int) -> int:
        """The output after a run that alone gives `run`, if it was `before` until then."""
        return min(before + run, 2**self.bits - 1)


@dataclass(frozen=True)
class Port:
    """A stream of one tensor per run.

    The tensor is divided into blocks of shape `beat`, one per beat, in the order of the axes, the
    last axis fastest. Elements within a beat have the same order, the first in the lowest bits. A
    block that extends beyond the tensor is padded with zeros.

    Parameters
    ----------
    axes : a letter for each axis (`AXES`): "TND"; "" for a single element.
    shape : elements along each axis.
    item : type of an element.
    beat : elements of a beat along each axis.
    closes : the axis that `last` closes: `last` is high with the last beat along this axis and all
        later ones.
    """

    axes: str
    shape: tuple[int, ...]
    item: Item
    beat: tuple[int, ...]
    closes: str

    @property
    def bits(self) -> int:
        """Data bits of a beat."""
        return self.item.bits * prod(self.beat)

    @property
    def beat_bytes(self) -> int:
        """Bytes of a beat on an AXI4-Stream or the host link; the top bits are padding."""
        return -(-self.bits // 8)

    @property
    def grid(self) -> tuple[int, ...]:
        """Beats along each axis."""
        return tuple(-(-n // block) for n, block in zip(self.shape, self.beat, strict=True))

    @property
    def beats(self) -> int:
        """Beats of a run."""
        return prod(self.grid)

    @property
    def frame_beats(self) -> int:
        """Beats from one `last` to the next."""
        return prod(self.grid[self.axes.index(self.closes) :])

    @cached_property
    def lasts(self) -> list[int]:
        """`last` of each beat of a run."""
        frame = [0] * (self.frame_beats - 1) + [1]
        return frame * (self.beats // self.frame_beats)

    def check(self, tensor: ArrayLike, name: str) -> NDArray:
        """`tensor` as an array of the item's dtype. Raises `InputError` for a wrong shape or an
        element out of range."""
        array = self.item.check(tensor, name)
        if array.shape != self.shape:
            raise InputError(
                f"{name}: shape {array.shape} is not {self.shape} ({', '.join(self.axes)})"
            )
        return array

    def complete(self, tensor: NDArray) -> NDArray:
        """`tensor`, or runs of it, with the axes of length 1 that users leave out. Subclasses may
        add some; the default is the identity."""
        return tensor

    def pack(self, tensor: ArrayLike) -> list[tuple[int, int]]:
        """Beats (data, last) of a tensor of the port's shape."""
        data = self.to_bytes(tensor)
        size = self.beat_bytes
        words = (int.from_bytes(data[n : n + size], "little") for n in range(0, len(data), size))
        return list(zip(words, self.lasts, strict=True))

    def unpack(self, beats: Sequence[tuple[int, int]]) -> NDArray:
        """The tensor of beats (data, last): the inverse of `pack`.

        Raises `InputError` if their number or a ``last`` is wrong.
        """
        if [int(last) for _, last in beats] != self.lasts:
            raise InputError(
                f"not {self.beats} beats in frames of {self.frame_beats}, each ended by `last`"
            )
        return self.from_bytes(
            b"".join(word.to_bytes(self.beat_bytes, "little") for word, _ in beats)
        )

    def to_bytes(self, tensor: ArrayLike) -> bytes:
        """The beats of a tensor in order, each padded to whole bytes, lowest byte first."""
        array = np.asarray(self.arrange(np.asarray(tensor).reshape(self.shape)))
        codes = self.item.encode(array)
        margins = [
            (0, count * block - n)
            for n, count, block in zip(self.shape, self.grid, self.beat, strict=True)
        ]
        split = [side for pair in zip(self.grid, self.beat, strict=True) for side in pair]
        blocks = (np.pad(codes, margins) if margins else codes).reshape(split)
        rank = len(self.shape)
        blocks = blocks.transpose(*range(0, 2 * rank, 2), *range(1, 2 * rank, 2))
        codes = np.ascontiguousarray(blocks).reshape(-1, 1).astype("<u8").view(np.uint8)
        bits = np.unpackbits(codes, axis=1, count=self.item.bits, bitorder="little")
        return np.packbits(bits.reshape(self.beats, -1), axis=1, bitorder="little").tobytes()

    def from_bytes(self, data: bytes) -> NDArray:
        """The tensor of the bytes of all its beats: the inverse of `to_bytes`."""
        packed = np.frombuffer(data, np.uint8).reshape(self.beats, self.beat_bytes)
        bits = np.unpackbits(packed, axis=1, count=self.bits, bitorder="little")
        codes = np.zeros((self.beats * prod(self.beat), 8), np.uint8)
        code_bytes = np.packbits(bits.reshape(-1, self.item.bits), axis=1, bitorder="little")
        codes[:, : code_bytes.shape[1]] = code_bytes
        codes = codes.view("<u8").astype(np.uint64)
        rank = len(self.shape)
        order = [side for axis in range(rank) for side in (axis, axis + rank)]
        blocks = codes.reshape(self.grid + self.beat).transpose(order)
        whole = blocks.reshape([n * b for n, b in zip(self.grid, self.beat, strict=True)])
        return self.restore(self.item.decode(whole[tuple(slice(n) for n in self.shape)]))

    def arrange(self, tensor: NDArray) -> NDArray:
        """The elements in transfer order. Subclasses may permute them; the default is the
        identity."""
        return tensor

    def restore(self, tensor: NDArray) -> NDArray:
        """The inverse of `arrange`."""
        return tensor

    def random(self, rng: np.random.Generator, density: float = 0.5) -> NDArray:
        """A random tensor for tests; see `Item.random`."""
        return self.item.random(rng, self.shape, density)

    def signature(self) -> stream.Signature:
        """The Amaranth stream: payload {data, last}."""
        from amaranth.lib import stream

        from .blocks.beat import beat

        return stream.Signature(beat(self.bits))
