"""Element types of tensors: bits, range and code on the wires.

An `Item` checks numbers, converts them to unsigned codes and back, and draws random ones for tests.
It depends on neither Amaranth nor a shape; see `spikeloom.port` for tensors of items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_BITS = 64


class Item:
    """Base of all items.

    Members
    -------
    bits : bits of a code, 1..64.
    low, high : the smallest and the largest number.
    dtype : dtype of decoded tensors.
    meaning : the allowed numbers, for messages ("spikes are 0 or 1").
    """

    bits: int
    low: float
    high: float
    dtype: type = np.int64
    meaning: str

    def check(self, values: ArrayLike, name: str) -> NDArray:
        """`values` as an array of the item's dtype.

        Raises `InputError` naming tensor `name` and the first element that is not allowed.
        """
        array = real_numbers(values, name)
        above = array > self.high
        if array.dtype.kind == "f":
            self._refuse(array, array != np.floor(array), name)
            above = array >= float(self.high + 1)  # the largest number may be none of the type
        self._refuse(array, (array < self.low) | above, name)
        return array.astype(self.dtype)

    def holds(self, other: Item) -> bool:
        """Whether codes of `other`, extended to more bits, are codes of the same numbers."""
        whole = isinstance(self, UInt | SInt) and isinstance(other, UInt | SInt)
        return whole and self.low <= other.low and other.high <= self.high

    def encode(self, values: ArrayLike) -> NDArray:
        """Codes of allowed numbers: uint64, the top bits 0."""
        mask = np.uint64((1 << self.bits) - 1)
        return np.asarray(values).astype(np.int64).view(np.uint64) & mask

    def decode(self, codes: NDArray) -> NDArray:
        """Numbers of uint64 `codes`, in the item's dtype: the inverse of `encode`."""
        return codes.astype(self.dtype)

    def random(self, rng: np.random.Generator, shape: tuple, density: float = 0.5) -> NDArray:
        """Random numbers for tests, a fraction `density` of them nonzero; 1 or more: the largest
        number everywhere, 0 or less: zeros."""
        if density >= 1:
            return np.full(shape, self.high, self.dtype)
        most = int(self.high)
        kind = np.int64 if most < 2**63 else np.uint64
        drawn = rng.integers(max(1, int(self.low)), most, shape, kind, endpoint=True)
        return np.where(rng.random(shape) < density, drawn, kind(0)).astype(self.dtype)

    def _refuse(self, array: NDArray, wrong: NDArray, name: str) -> None:
        if wrong.any():
            where = tuple(int(n) for n in np.argwhere(wrong)[0])
            raise InputError(f"{name}: {array[where]} at {list(where)}; {self.meaning}")


@dataclass(frozen=True)
class UInt(Item):
    """A whole number ``0..2**bits - 1``."""

    bits: int
    low = 0

    @property
    def high(self) -> int:
        return 2**self.bits - 1

    @property
    def dtype(self) -> type:
        return np.int64 if self.bits < MAX_BITS else np.uint64

    @property
    def meaning(self) -> str:
        return f"values must be whole numbers 0..{self.high}"


@dataclass(frozen=True)
class Bit(UInt):
    """A spike: 0 or 1."""

    bits: int = 1

    @property
    def dtype(self) -> type:
        return np.uint8

    @property
    def meaning(self) -> str:
        return "spikes are 0 or 1"


@dataclass(frozen=True)
class SInt(Item):
    """A whole number ``-2**(bits - 1)..2**(bits - 1) - 1`` in two's complement."""

    bits: int

    @property
    def low(self) -> int:
        return -(2 ** (self.bits - 1))

    @property
    def high(self) -> int:
        return 2 ** (self.bits - 1) - 1

    @property
    def dtype(self) -> type:
        return np.int32 if self.bits <= 32 else np.int64

    @property
    def meaning(self) -> str:
        return f"values must be whole numbers {self.low}..{self.high}"

    def decode(self, codes: NDArray) -> NDArray:
        shift = MAX_BITS - self.bits
        return (codes << np.uint64(shift)).view(np.int64).__rshift__(shift).astype(self.dtype)

    def random(self, rng: np.random.Generator, shape: tuple, density: float = 0.5) -> NDArray:
        """Random numbers for tests, more of them positive for a higher `density`; 1 or more: the
        largest number everywhere, less than 0: the smallest."""
        if not 0 <= density < 1:
            return np.full(shape, self.high if density >= 1 else self.low, self.dtype)
        drawn = (rng.uniform(-1, 1, shape) + 2 * (density - 0.5)).clip(-1, 1)
        most = float(self.high)
        most = most if most <= self.high else float(np.nextafter(most, 0))
        return (drawn * most).round().astype(self.dtype)


@dataclass(frozen=True)
class Ternary(SInt):
    """A spike with a sign: -1, 0 or 1, two bits in two's complement."""

    bits: int = 2

    @property
    def low(self) -> int:
        return -1

    @property
    def dtype(self) -> type:
        return np.int8

    @property
    def meaning(self) -> str:
        return "ternary spikes are -1, 0 or 1"

    def random(self, rng: np.random.Generator, shape: tuple, density: float = 0.5) -> NDArray:
        """Random spikes for tests, a fraction `density` of them nonzero; 1 or more: all 1."""
        if density >= 1:
            return np.ones(shape, self.dtype)
        signs = rng.choice(np.array([-1, 1], self.dtype), shape)
        return np.where(rng.random(shape) < density, signs, 0).astype(self.dtype)


@dataclass(frozen=True)
class PhaseCode(Item):
    """A one-spike phase code of `steps` steps: 0 for no spike, else ``sign * (n + 1)`` for a spike
    at step n.

    On wires, from the lowest bit up: the step, whether there is a spike, and its sign (no sign
    where not `bipolar`).

    Source: "SpikedAttention", NeurIPS 2024.
    """

    steps: int
    bipolar: bool = True
    dtype = np.int16

    @property
    def step_bits(self) -> int:
        return (self.steps - 1).bit_length()

    @property
    def bits(self) -> int:
        return self.step_bits + 1 + self.bipolar

    @property
    def low(self) -> int:
        return -self.steps if self.bipolar else 0

    @property
    def high(self) -> int:
        return self.steps

    @property
    def meaning(self) -> str:
        return f"codes are {self.low}..{self.steps}: 0, or sign * (step + 1)"

    def encode(self, values: ArrayLike) -> NDArray:
        codes = np.asarray(values, np.int64)
        spike = abs(codes) - 1 | 1 << self.step_bits | (codes < 0) << self.step_bits + 1
        return np.where(codes != 0, spike, 0).astype(np.uint64)

    def decode(self, codes: NDArray) -> NDArray:
        wires = codes.astype(np.int64)
        step = wires & (1 << self.step_bits) - 1
        spike, sign = wires >> self.step_bits & 1, wires >> self.step_bits + 1 & 1
        return (spike * (1 - 2 * sign) * (step + 1)).astype(self.dtype)

    def random(self, rng: np.random.Generator, shape: tuple, density: float = 0.5) -> NDArray:
        """Random codes for tests, a fraction `density` with a spike; 1 or more: all spike at step
        0."""
        if density >= 1:
            return np.ones(shape, self.dtype)
        codes = rng.integers(1, self.steps + 1, shape)
        if self.bipolar:
            codes *= rng.choice([-1, 1], shape)
        return np.where(rng.random(shape) < density, codes, 0).astype(self.dtype)


@dataclass(frozen=True)
class Probability(Item):
    """A real number in [0, 1], on wires the threshold ``0..2**fraction_bits`` nearest to it.

    0 and 1 are exact: a Bernoulli encoder compares the threshold with `fraction_bits` random bits.
    """

    fraction_bits: int
    low = 0.0
    high = 1.0
    dtype = np.float64
    meaning = "values must be in [0, 1]; scale the tensor"

    @property
    def bits(self) -> int:
        return self.fraction_bits + 1

    def check(self, values: ArrayLike, name: str) -> NDArray:
        array = real_numbers(values, name)
        self._refuse(array, (array < 0) | (array > 1), name)
        return array.astype(self.dtype)

    def encode(self, values: ArrayLike) -> NDArray:
        return np.floor(np.asarray(values, float) * 2**self.fraction_bits + 0.5).astype(np.uint64)

    def decode(self, codes: NDArray) -> NDArray:
        return codes.astype(float) / 2**self.fraction_bits

    def random(self, rng: np.random.Generator, shape: tuple, density: float = 0.5) -> NDArray:
        """Random values for tests with a mean of about `density`, including exact zeros and
        ones."""
        drawn = rng.random(shape)
        return np.clip(drawn + density - 0.5 + 0.1 * (drawn - 0.5), 0, 1)


def real_numbers(values: Any, name: str) -> NDArray:
    """`values` as an array of real, finite numbers; tensors of other libraries are converted."""
    try:
        array = np.asarray(_from_torch(values) if hasattr(values, "detach") else values)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{name}: not an array of numbers ({reason})") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name}: holds {array.dtype}, not real numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = [int(n) for n in np.argwhere(~np.isfinite(array))[0]]
        raise InputError(f"{name}: NaN or infinity at {where}; give finite numbers")
    return array


def _from_torch(tensor: Any) -> NDArray:
    """A PyTorch tensor as an array, also one that records gradients or holds bfloat16, which NumPy
    lacks and float32 holds exactly."""
    tensor = tensor.detach().cpu()
    try:
        return tensor.numpy()
    except TypeError:
        return tensor.float().numpy()
