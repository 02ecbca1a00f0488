"""Tables of energy per operation and per memory access, with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spikeloom.errors import unknown
from spikeloom.work import Accesses, Operations

KILOBYTE = 8 * 1024  # bits
LINE = 64  # bits of an access in Horowitz' table


@dataclass(frozen=True)
class Technology:
    """Energies in pJ.

    Members
    -------
    operations : by kind and number, (bits, pJ) of each width in the table. One width is the price
        of every width. Between two widths the price is interpolated, below the smallest it is
        proportional to the width, above the largest it is extrapolated. Operations that the table
        lacks cost nothing.
    memories : (bits of the memory, pJ per access of `line` bits) of each size. The price is that of
        the smallest size that holds the memory, or of the largest.
    """

    name: str
    title: str
    source: str
    operations: Mapping[tuple[str, str], tuple[tuple[int, float], ...]]
    memories: tuple[tuple[int, float], ...]
    line: int
    notes: str = ""

    def operation(self, row: Operations) -> float:
        """Energy of one operation in pJ."""
        points = self.operations.get((row.kind, row.number), ())
        if not points:
            return 0.0
        if len(points) == 1:
            return points[0][1]
        (low, at_low), (high, at_high) = points[0], points[-1]
        if row.bits < low:
            return at_low * row.bits / low
        return at_low + (row.bits - low) * (at_high - at_low) / (high - low)

    def bit(self, row: Accesses) -> float:
        """Energy of an accessed bit in pJ."""
        prices = [price for size, price in self.memories if row.capacity <= size]
        return (prices[0] if prices else self.memories[-1][1]) / self.line


HOROWITZ = (
    'M. Horowitz, "Computing\'s energy problem (and what we can do about it)", ISSCC 2014, '
    "figure 1.1.9: 45 nm, 0.9 V"
)
SRAM = ((8 * KILOBYTE, 10.0), (32 * KILOBYTE, 20.0), (1024 * KILOBYTE, 100.0))
INT_ADD, INT_MULTIPLY = ((8, 0.03), (32, 0.1)), ((8, 0.2), (32, 3.1))
FLOAT_ADD, FLOAT_MULTIPLY = ((16, 0.4), (32, 0.9)), ((16, 1.1), (32, 3.7))


def _flat(add: float, multiply: float) -> dict[tuple[str, str], tuple[tuple[int, float], ...]]:
    """Prices that do not depend on the width."""
    numbers = ("int", "float")
    prices = {("add", number): ((32, add),) for number in numbers}
    return prices | {("multiply", number): ((32, multiply),) for number in numbers}


TECHNOLOGIES = {
    one.name: one
    for one in (
        Technology(
            "horowitz-45nm",
            "45 nm, integers by their width, SRAM by its size",
            HOROWITZ,
            {
                ("add", "int"): INT_ADD,
                ("multiply", "int"): INT_MULTIPLY,
                ("add", "float"): FLOAT_ADD,
                ("multiply", "float"): FLOAT_MULTIPLY,
                ("logic", "int"): ((8, 0.03), (32, 0.1)),
            },
            SRAM,
            LINE,
            "integers of 8 and 32 bits, floats of 16 and 32 bits and SRAM of 8 KB, 32 KB and 1 MB "
            "(64 bits an access) are the table's; other widths are interpolated, and a gate costs "
            "as much as a bit of an 8-bit adder",
        ),
        Technology(
            "horowitz-int8",
            "45 nm, every operation priced as one on 8-bit integers",
            HOROWITZ,
            _flat(0.03, 0.2),
            SRAM,
            LINE,
            "the convention of SSA's paper for additions; gates are not charged",
        ),
        Technology(
            "horowitz-fp16",
            "45 nm, every operation priced as one on 16-bit floats",
            HOROWITZ,
            _flat(0.4, 1.1),
            SRAM,
            LINE,
            "gates are not charged",
        ),
        Technology(
            "horowitz-fp32",
            "45 nm, every operation priced as one on 32-bit floats",
            HOROWITZ,
            _flat(0.9, 3.7),
            SRAM,
            LINE,
            "0.9 pJ an accumulation and 4.6 pJ a multiply-accumulate, the convention of Spikformer "
            "and of most papers on spiking networks; gates are not charged",
        ),
        Technology(
            "spikedattention",
            "the energy model of SpikedAttention",
            '"SpikedAttention", NeurIPS 2024, the energy model in the authors\' code',
            _flat(0.9, 3.7),
            ((1, 5.0),),
            32,
            "0.9 pJ an addition, 3.7 pJ a multiplication (32-bit floats of Horowitz' table), 5.0 "
            "pJ an access of 32 bits to a memory of any size; gates are not charged",
        ),
    )
}
DEFAULT = "horowitz-45nm"


def find_technology(name: str) -> Technology:
    """The technology called `name`. Raises `InputError`."""
    if name not in TECHNOLOGIES:
        raise unknown("technology", name, TECHNOLOGIES)
    return TECHNOLOGIES[name]
