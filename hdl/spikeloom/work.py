"""Counts of the operations and of the memory traffic of a run, for estimates of energy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

KINDS = ("add", "multiply", "logic")


@dataclass(frozen=True)
class Operations:
    """`count` operations of one kind on numbers of `bits` bits.

    kind : "add" (also a subtraction or a comparison), "multiply", or "logic", a gate for each bit
        (AND, XOR, or a bit of a shift register).
    number : "int" or "float".
    """

    what: str
    kind: str
    bits: int
    count: float
    number: str = "int"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is not one of {', '.join(KINDS)}")
        object.__setattr__(self, "count", float(self.count))  # not NumPy's


@dataclass(frozen=True)
class Accesses:
    """`bits` read from and written to a memory that holds `capacity` bits."""

    what: str
    bits: float
    capacity: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "bits", float(self.bits))


@dataclass(frozen=True)
class Work:
    """What one run does. `formula` describes in a line how the operations are counted.

    Operations that skip zeros are counted with nonzero operands only. Streams into and out of the
    core are not memory traffic, and registers are part of the operations.
    """

    formula: str
    operations: tuple[Operations, ...] = ()
    accesses: tuple[Accesses, ...] = ()

    def count(self, kind: str) -> float:
        """Operations of a kind."""
        return sum(row.count for row in self.operations if row.kind == kind)

    @property
    def additions(self) -> float:
        return self.count("add")

    @property
    def multiplications(self) -> float:
        return self.count("multiply")

    @property
    def moved_bits(self) -> float:
        """Bits read from and written to memories."""
        return sum(row.bits for row in self.accesses)

    def times(self, factor: float) -> Work:
        """`factor` runs."""
        return Work(
            self.formula,
            tuple(replace(row, count=row.count * factor) for row in self.operations),
            tuple(replace(row, bits=row.bits * factor) for row in self.accesses),
        )


def joined(formula: str, parts: Iterable[tuple[str, Work]]) -> Work:
    """The work of several parts, each with a name, which its rows begin with."""
    operations: list[Operations] = []
    accesses: list[Accesses] = []
    for name, work in parts:
        operations += [replace(row, what=f"{name}: {row.what}") for row in work.operations]
        accesses += [replace(row, what=f"{name}: {row.what}") for row in work.accesses]
    return Work(formula, tuple(operations), tuple(accesses))
