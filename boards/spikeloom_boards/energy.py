"""Energy of one run: counts of operations and memory accesses, times a technology's prices.

Nothing here was measured. `Core.work` counts, `technologies` has the prices and their sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spikeloom.contract import Core
from spikeloom.cores import all_cores
from spikeloom.cores.attention import AttentionShape
from spikeloom.errors import InputError
from spikeloom.work import Accesses, Operations, Work

from .technologies import DEFAULT, Technology, find_technology

FORMULA = "E = sum over operations of count x pJ(kind, bits) + sum over memories of bits x pJ(size)"
SHAPE = ("tokens", "head_dim", "value_dim")
LETTERS = {"steps": "T"}
EXPONENTIALS = 256  # entries of the table of a plain softmax


@dataclass(frozen=True)
class Row:
    """Operations or accesses of one kind with their price."""

    what: str
    kind: str
    bits: int
    count: float
    pj: float

    @property
    def microjoule(self) -> float:
        return self.count * self.pj / 1e6


@dataclass(frozen=True)
class Estimate:
    """Energy of one run of a `design`, from its `work`."""

    design: str
    work: Work
    technology: Technology

    @property
    def rows(self) -> list[Row]:
        """The operations, then the memories, whose count is in bits."""
        table = self.technology
        rows = [
            Row(row.what, row.kind, row.bits, row.count, table.operation(row))
            for row in self.work.operations
        ]
        return rows + [
            Row(row.what, "memory", row.capacity, row.bits, table.bit(row))
            for row in self.work.accesses
        ]

    @property
    def compute(self) -> float:
        """Energy of the operations in uJ."""
        return sum(row.microjoule for row in self.rows if row.kind != "memory")

    @property
    def memory(self) -> float:
        """Energy of the memory accesses in uJ."""
        return sum(row.microjoule for row in self.rows if row.kind == "memory")

    @property
    def microjoule(self) -> float:
        return self.compute + self.memory

    def as_dict(self) -> dict[str, Any]:
        rows = [vars(row) | {"uj": row.microjoule} for row in self.rows]
        return {
            "design": self.design,
            "how": self.work.formula,
            "compute_uj": self.compute,
            "memory_uj": self.memory,
            "uj": self.microjoule,
            "rows": rows,
        }


def design_name(core: Core) -> str:
    """The core with its time steps and the keys that are not the default of its shape: designs of
    the same shape with the same name are the same."""
    keys = core.as_dict()
    needed = {key: value for key, value in keys.items() if value is not None}
    for key in reversed(keys):
        fewer = {name: value for name, value in needed.items() if name != key}
        try:
            same = type(core).from_settings(fewer) == core
        except InputError:  # the key has no default
            continue
        if same:
            needed = fewer
    shown = {key: x for key, x in keys.items() if key == "steps" or key in needed}
    text = [f"{LETTERS.get(key, key)} = {x}" for key, x in shown.items() if key not in SHAPE]
    return ", ".join([core.NAME, *text])


def estimate(
    core: Core,
    technology: str = DEFAULT,
    densities: Mapping[str, float] | None = None,
    **operands: Any,
) -> Estimate | None:
    """The energy of a run of `core`; None if its work is not counted. `densities` and `operands` as
    for `Core.work`."""
    work = core.work(densities, **operands)
    table = find_technology(technology)
    return None if work is None else Estimate(design_name(core), work, table)


def estimates(
    core: Core, technology: str = DEFAULT, densities: Mapping[str, float] | None = None
) -> list[Estimate]:
    """The `Estimate` of `core`, first; for an attention core, then those of softmax attention in
    floating point and of the other attention cores of its shape with their default keys, each named
    with its time steps. A design has the same energy in every report of its shape."""
    own = estimate(core, technology, densities)
    found = [] if own is None else [own]
    if not isinstance(core, AttentionShape):
        return found
    keys = core.as_dict()
    shape = {key: keys[key] for key in SHAPE}
    table = find_technology(technology)
    for bits in (16, 32):
        name = f"softmax attention, fp{bits}"
        found.append(Estimate(name, softmax_attention(**shape, bits=bits), table))
    for other in all_cores().values():
        if issubclass(other, AttentionShape):
            try:
                row = estimate(other.from_settings(shape), technology)
            except InputError:  # the shape is too large for it
                continue
            if row is not None and row.design not in [one.design for one in found]:
                found.append(row)
    return found


def softmax_attention(tokens: int, head_dim: int, value_dim: int, bits: int) -> Work:
    """Softmax attention in floating point: a multiplication and an addition of each pair, and for
    each score a maximum, a difference, an exponential from a table, a sum and a product with the
    inverse of the sum. The core `int8_softmax` counts those of integers."""
    pairs = tokens**2
    products = pairs * (head_dim + value_dim)
    q, v = tokens * head_dim * bits, tokens * value_dim * bits
    scores = pairs * bits
    return Work(
        "N^2 (D + Dv) multiplications and additions; 3 additions and a multiplication of each "
        "score; each operand read once for each query",
        (
            Operations("Q K^T and P V", "multiply", bits, products, "float"),
            Operations("Q K^T and P V", "add", bits, products, "float"),
            Operations("softmax", "add", bits, 3 * pairs, "float"),
            Operations("softmax", "multiply", bits, pairs, "float"),
        ),
        (
            Accesses("Q", 2 * q, q),
            Accesses("K", q + tokens * q, q),
            Accesses("V", v + tokens * v, v),
            Accesses("scores", 4 * scores, tokens * bits),
            Accesses("exponentials", scores, EXPONENTIALS * bits),
        ),
    )


def energy_record(
    core: Core, technology: str = DEFAULT, densities: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """What a report says of the energy of a run: `estimates`, formula, prices and sources."""
    found = estimates(core, technology, densities)
    return _record(found, technology, core.densities_or_typical(densities))


def record_of(core: Core, work: Work, technology: str = DEFAULT) -> dict[str, Any]:
    """An `energy_record` of counts that are known, such as those of measured operands."""
    return _record([Estimate(design_name(core), work, find_technology(technology))], technology, {})


def _record(found, technology, densities):
    table = find_technology(technology)
    return {
        "measured": False,
        "technology": table.name,
        "title": table.title,
        "source": table.source,
        "notes": table.notes,
        "formula": FORMULA,
        "densities": densities,
        "designs": [row.as_dict() for row in found],
    }
