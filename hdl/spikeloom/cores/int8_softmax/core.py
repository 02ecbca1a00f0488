"""The `int8_softmax` core: its keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log2
from typing import TYPE_CHECKING, Any, Self

from ...configuration import HELD_WHY, LANES_WHY, MAX_HELD, MAX_LANES, integer
from ...item import SInt
from ...port import Port
from ...work import Work
from ..attention import AttentionShape, head_dim_key, value_dim_key
from . import bench, cases, presets
from .quantise import FOUR_SIGMA, LOG2_E

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component
    from ...drawing import Drawing

LANES = 8  # by default


@dataclass(frozen=True, kw_only=True)
class Int8Softmax(AttentionShape):
    """Softmax attention of 8-bit integers, without spikes: the baseline for comparison.

    ``o = round(sum_j p_j v_j / sum_j p_j)`` with ``p_j`` proportional to ``2^(q.k_j / 2^shift)``:
    `shift` stands for the factors log2(e) and 1/sqrt(D) and the scales of Q and K. The output has
    the scale of V.
    """

    NAME = "int8_softmax"
    SUMMARY = "baseline without spikes: softmax attention of 8-bit integers, with multipliers"
    SOURCE = "softmax attention in integers, as in quantised transformers; no paper of its own"
    UNROLL = ("lanes",)
    SIZE_KEYS = ("tokens",)
    CASES, MUTANTS = cases.CASES, cases.MUTANTS
    PRESETS = presets.PRESETS
    BENCH = bench.ROWS

    tokens: int = integer("tokens N", low=1, high=MAX_HELD, why=HELD_WHY)
    head_dim: int = head_dim_key()
    value_dim: int = value_dim_key()
    shift: int = integer(
        "a weight is 2^(q.k / 2^shift) (default: for q and k whose 127 is four times their "
        "standard deviation)",
        low=0,
        high=24,
        default=None,
    )
    prob_bits: int = integer("bits of a weight", low=4, high=16, default=10)
    frac_bits: int = integer(
        "fraction bits of the exponent of a weight, at most shift", low=0, high=10, default=6
    )
    lanes: int = integer(
        f"multipliers of Q K^T, and of P V (default: up to {LANES})",
        low=1,
        high=MAX_LANES,
        default=None,
        why=LANES_WHY,
    )

    def __post_init__(self):
        super().__post_init__()
        self.derive(value_dim=self.head_dim)
        widest = max(self.head_dim, self.value_dim)
        self.derive(lanes=min(LANES, widest), shift=self._typical_shift())
        if self.lanes > widest:
            raise self.error(
                "lanes", self.lanes, f"at most {widest}, the larger of head_dim and value_dim"
            )

    def _typical_shift(self):
        """`shift` for Q and K that have a standard deviation of 1 before they are quantised."""
        return floor(log2((127 / FOUR_SIGMA) ** 2 * self.head_dim**0.5 / LOG2_E))

    # Widths

    @property
    def fraction(self) -> int:
        """Fraction bits of a stored score."""
        return min(self.shift, self.frac_bits)

    @property
    def dropped(self) -> int:
        """Low bits of a product q.k that a score leaves out."""
        return self.shift - self.fraction

    @property
    def sum_bits(self) -> int:
        """Bits of a product q.k, signed: at most ``D * 128 * 128``."""
        return (self.head_dim << 14).bit_length() + 1

    @property
    def score_bits(self) -> int:
        """Bits of a score, signed, and of the difference of two, unsigned."""
        return max(1, self.sum_bits - self.dropped)

    @property
    def norm_bits(self) -> int:
        """Bits of the sum of the weights of a query."""
        return (self.tokens * (2**self.prob_bits - 1)).bit_length()

    @property
    def acc_bits(self) -> int:
        """Bits of a sum of weights times ``v + 128``."""
        return self.norm_bits + 8

    # Schedule

    @property
    def chunks(self) -> int:
        """Beats of a token of Q and of K."""
        return -(-self.head_dim // self.lanes)

    @property
    def groups(self) -> int:
        """Beats of a token of V and of the output."""
        return -(-self.value_dim // self.lanes)

    # Streams

    def _port(self, width: int) -> Port:
        """`lanes` values of a token in a beat."""
        shape, beat = (self.tokens, width), (1, self.lanes)
        return Port(axes="ND", shape=shape, item=SInt(8), beat=beat, closes="N")

    @property
    def inputs(self) -> dict[str, Port]:
        widths = {"q": self.head_dim, "k": self.head_dim, "v": self.value_dim}
        return {name: self._port(width) for name, width in widths.items()}

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self._port(self.value_dim)}

    # Interface of every core

    def create(self) -> Component:
        from .component import Int8SoftmaxComponent

        return Int8SoftmaxComponent(self)

    def golden(self, *, q: NDArray, k: NDArray, v: NDArray) -> dict[str, Any]:
        from .golden import run

        return {"o": run(self, q, k, v)}

    def cycles(self, **operands: NDArray) -> int:
        from .schedule import cycles

        return cycles(self)

    def cycle_formula(self) -> str:
        from .schedule import cycle_formula

        return cycle_formula(self)

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        from .work import work

        self.densities_or_typical(densities)  # zeros save nothing
        return work(self)

    def stages(self) -> Drawing:
        from . import drawing

        return drawing.attention(self)

    @classmethod
    def prepare(
        cls, settings: Mapping[str, Any], **tensors: NDArray
    ) -> tuple[Self, list[dict[str, NDArray]]]:
        """Operands (N, D), or heads of that, in 8-bit integers."""
        cls.need_integers(
            tensors,
            "integers of 8 bits, quantise them first (spikeloom.cores.int8_softmax.quantise)",
        )
        core = cls.from_settings(cls.shape_settings(settings, "ND", tensors))
        return core, core.split_runs(tensors)

    def golden_bytes(self) -> int:
        """Queries are processed one by one."""
        return 60 * self.tokens * max(self.head_dim, self.value_dim)

    def preload_cycles(self) -> int:
        return self.tokens * max(self.chunks, self.groups) + 8
