"""The `a2os2a` core: its keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...configuration import MAX_DIM, MAX_HELD, choice, integer, largest_divisor, number
from ...contract import Flag
from ...item import Bit, SInt, Ternary, UInt
from ...port import Port
from ...work import Work
from ..attention import AttentionShape, head_dim_key, value_dim_key
from . import bench, cases, presets
from .expected import TRAINED, Densities, faster_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component
    from ...drawing import Drawing
    from ...item import Item

NO_DENSITIES: dict[str, Any] = dict.fromkeys(("q_density", "k_density", "v_density"))
MAX_TOKENS = 2**20
MEASURED_RUNS = 8  # of a batch, for order = auto


def _density(operand, trained):
    """A key for the density of an operand."""
    help = f"share of {operand} that is not zero, for order = auto (default: {trained})"
    return number(help, low=0, high=1, default=None)


@dataclass(frozen=True, kw_only=True)
class A2OS2A(AttentionShape):
    """Addition-only attention: shape, order of the sums and unroll of one core.

    The core processes `lanes` values of a token per cycle. Every accumulator is as wide as the
    largest sum of the shape, so nothing wraps. With ``length = "open"`` a core processes causal
    sequences of any length in constant memory: its sums are exact for up to `tokens` tokens, and
    may saturate beyond that, which sets a flag.

    Source: Guo et al., "Spiking Transformer: Introducing Accurate Addition-Only Spiking
    Self-Attention for Transformer", arXiv 2503.00226.
    """

    NAME = "a2os2a"
    SUMMARY = "addition-only attention: binary Q, integer K, ternary V (arXiv 2503.00226)"
    SOURCE = (
        'Guo et al., "Spiking Transformer: Introducing Accurate Addition-Only Spiking '
        'Self-Attention for Transformer", arXiv 2503.00226'
    )
    VIEWS = ("values", "rate")
    UNROLL = ("lanes",)
    SIZE_KEYS = ("steps", "tokens")
    CYCLES_FOLLOW_DATA = True
    CASES, MUTANTS = cases.CASES, cases.MUTANTS
    PRESETS = presets.PRESETS
    BENCH = bench.ROWS
    IN_NETWORKS = bench.IN_NETWORKS

    tokens: int = integer(
        "tokens N", low=1, high=MAX_TOKENS, why="longer sequences: length = open, mask = causal"
    )
    head_dim: int = head_dim_key()
    value_dim: int = value_dim_key()
    steps: int = integer("time steps T, each an attention of its own", low=1, high=65536, default=1)
    k_bits: int = integer("bits of a K value", low=1, high=16, default=8)
    v_spikes: str = choice("spikes of V", choices=("ternary", "binary"), default="ternary")
    order: str = choice(
        "(Q K^T) V, or Q (K^T V), or the one expected to take fewer cycles",
        choices=("auto", "qk", "kv"),
        default="auto",
    )
    q_density: float = _density("Q", TRAINED.q)
    k_density: float = _density("K", TRAINED.k)
    v_density: float = _density("V", TRAINED.v)
    mask: str = choice("keys left out: future tokens", choices=("none", "causal"), default="none")
    length: str = choice(
        "tokens of a sequence: N, or until the beat marked last (needs causal, kv)",
        choices=("fixed", "open"),
        default="fixed",
    )
    lanes: int = integer(
        "values per cycle (default: largest divisor of D and Dv up to 8)",
        low=1,
        high=MAX_DIM,
        default=None,
    )
    acc_bits: int = integer(
        "bits of an output value (default: as many as the largest sum needs)",
        low=2,
        high=64,
        default=None,
    )

    def __post_init__(self):
        super().__post_init__()
        self.derive(value_dim=self.head_dim)
        shared = gcd(self.head_dim, self.value_dim)
        self.derive(lanes=largest_divisor(shared, 8))
        if shared % self.lanes:
            raise self.error(
                "lanes",
                self.lanes,
                f"a divisor of head_dim ({self.head_dim}) and value_dim ({self.value_dim})",
            )
        if self.length == "open" and (self.mask != "causal" or self.order == "qk"):
            given = f"with mask = {self.mask!r} and order = {self.order!r}"
            raise self.error(
                "length", self.length, f"'fixed' {given}, for only causal 'kv' has constant memory"
            )
        if self.order == "qk" and self.tokens > MAX_HELD:
            raise self.error(
                "order", self.order, f"'kv' beyond {MAX_HELD} tokens, for 'qk' keeps all K and V"
            )
        self.derive(acc_bits=self._output_bits())
        if self.acc_bits < self._output_bits():
            raise self.error(
                "acc_bits",
                self.acc_bits,
                f"at least {self._output_bits()}, the width of the largest sum of "
                f"{self.tokens} tokens x {self.head_dim} dimensions x {self.k_bits} bits",
            )

    # Widths of the sums

    @property
    def k_max(self) -> int:
        """Largest value of K."""
        return 2**self.k_bits - 1

    @property
    def v_item(self) -> Item:
        """A value of V on the wires."""
        return Bit() if self.v_spikes == "binary" else Ternary()

    @property
    def score_bits(self) -> int:
        """Bits of a score Q K^T, unsigned: at most ``D * k_max``."""
        return (self.head_dim * self.k_max).bit_length()

    @property
    def state_bits(self) -> int:
        """Bits of an element of K^T V, signed: at most ``N * k_max`` either way."""
        return (self.tokens * self.k_max).bit_length() + 1

    @property
    def stored_bits(self) -> int:
        """Bits of an element of K^T V in memory: without the sign if V has none."""
        return self.state_bits - (self.v_spikes == "binary")

    def _output_bits(self):
        """Bits of an output value, signed: at most N D k_max, or D saturated states."""
        if self.length == "open":
            return (self.head_dim << (self.state_bits - 1)).bit_length() + 1
        return (self.tokens * self.head_dim * self.k_max).bit_length() + 1

    # Schedule

    @property
    def chunks(self) -> int:
        """Pieces of `lanes` values in a token of K, and in one of Q."""
        return self.head_dim // self.lanes

    @property
    def groups(self) -> int:
        """Pieces of `lanes` values in a token of V, and in one of the output."""
        return self.value_dim // self.lanes

    @property
    def chosen_order(self) -> str:
        """ "qk" or "kv": `order`, with "auto" resolved to the order that is expected to be faster
        for the densities."""
        if self.order != "auto":
            return self.order
        if self.length == "open" or self.tokens > MAX_HELD:
            return "kv"
        return faster_order(self, self.densities)

    @property
    def densities(self) -> Densities:
        """Expected densities of the operands: those given, else those of a trained network."""
        given = {name: getattr(self, f"{name}_density") for name in "qkv"}
        return replace(TRAINED, **{name: x for name, x in given.items() if x is not None})

    def settled(self) -> Self:
        """The same hardware with its order named; densities only choose it."""
        return replace(self, order=self.chosen_order, **NO_DENSITIES)

    # Streams

    def port(self, name: str, item: Item, lanes: int) -> Port:
        """Port of "q", "k", "v" or "o", `lanes` values of a token in a beat."""
        width = self.head_dim if name in "qk" else self.value_dim
        shape, beat = (self.tokens, width), (1, lanes)
        if self.steps == 1:
            return Port(axes="ND", shape=shape, item=item, beat=beat, closes="N")
        shape, beat = (self.steps, *shape), (1, *beat)
        return Port(axes="TND", shape=shape, item=item, beat=beat, closes="N")

    @property
    def inputs(self) -> dict[str, Port]:
        return {
            "q": self.port("q", Bit(), self.head_dim),
            "k": self.port("k", UInt(self.k_bits), self.lanes),
            "v": self.port("v", self.v_item, self.value_dim),
        }

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self.port("o", SInt(self.acc_bits), self.lanes)}

    @property
    def flags(self) -> dict[str, Flag]:
        meaning = "a sum was held at the end of its range; stays high until reset"
        return super().flags | {"saturated": Flag(meaning)}

    # Interface of every core

    def create(self) -> Component:
        from .component import A2OS2AComponent

        return A2OS2AComponent(self)

    def golden(self, *, q: NDArray, k: NDArray, v: NDArray) -> dict[str, Any]:
        from .golden import run_and_saturate

        output, saturated = run_and_saturate(self, q, k, v)
        return {"o": output, "saturated": saturated}

    def cycles(self, **operands: NDArray) -> int:
        from .schedule import cycles

        return cycles(self, self.by_step(operands))

    def by_step(self, operands: Mapping[str, NDArray]) -> list[Any] | None:
        """Operands (T, N, D), (T, N, D) and (T, N, Dv) as nested lists; None without operands."""
        if not operands:
            return None
        shaped = (operands[name].reshape(self.steps, self.tokens, -1) for name in "qkv")
        return [operand.tolist() for operand in shaped]

    def cycle_formula(self) -> str:
        from .schedule import cycle_formula

        return cycle_formula(self)

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        from .work import work

        known = {name: getattr(self.densities, name) for name in "qkv"} | dict(densities or {})
        return work(self, self.densities_or_typical(known), operands)

    def stages(self) -> Drawing:
        from . import drawing

        return drawing.attention(self)

    @classmethod
    def prepare(
        cls, settings: Mapping[str, Any], **tensors: NDArray
    ) -> tuple[Self, list[dict[str, NDArray]]]:
        """Operands (N, D), or (T, N, D) where ``steps`` is given as T > 1.

        With ``order = "auto"`` and no density given, their own densities choose the order.
        """
        cls.need_integers(tensors, "integers, round them first")
        given = {key: settings[key] for key in ("steps",) if key in settings}
        steps = cls.from_settings({"tokens": 1, "head_dim": 1} | given).steps
        settings = cls.shape_settings(settings, "TND" if steps > 1 else "ND", tensors)
        core = cls.from_settings(settings)
        batch = core.split_runs(tensors)
        if core.order == "auto" and all(getattr(core, key) is None for key in NO_DENSITIES):
            found = core.densities_of(batch)
            core = replace(core, **{f"{name}_density": getattr(found, name) for name in "qkv"})
        return core, batch

    def densities_of(self, batch: Sequence[Mapping[str, NDArray]]) -> Densities:
        """The densities of the attention's operands in the first runs of a batch."""
        runs = [self.qkv(**run) for run in batch[:MEASURED_RUNS]]
        return Densities.of({name: np.stack([run[name] for run in runs]) for name in "qkv"})

    def qkv(self, **operands: NDArray) -> dict[str, NDArray]:
        """Q, K and V of the attention in a run, by name; empty without operands."""
        return operands

    def golden_bytes(self) -> int:
        """Time steps are processed one by one; order `kv` does not store the scores."""
        numbers = self.steps * self.tokens * max(self.head_dim, self.value_dim)
        scores = self.tokens**2 if self.chosen_order == "qk" else 0
        return 60 * numbers + 30 * scores

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        if self.steps == 1:
            return {"values": lambda output: output, "rate": lambda output: output.astype(float)}
        return {"values": lambda output: output, "rate": lambda output: output.mean(axis=-3)}

    def preload_cycles(self) -> int:
        return 4
