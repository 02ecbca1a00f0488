"""The `spiked` core: its keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import log, sqrt
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...configuration import (
    HELD_WHY,
    LANES_WHY,
    MAX_LANES,
    choice,
    integer,
    largest_divisor,
    number,
)
from ...errors import InputError
from ...item import PhaseCode
from ...port import Port
from ...work import Work
from ..attention import AttentionShape, head_dim_key, value_dim_key
from . import bench, cases, presets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component
    from ...drawing import Drawing

AUTO = "auto"
LARGEST_SCORE = 1e6
MAX_TOKENS = 2**10


def scale(help: str, low: float = 1e-30, high: float = 1e30, **range: Any) -> Any:
    """A key that scales data: a positive number, or "auto", the largest magnitude of the data."""
    return number(help, low=low, high=high, default=AUTO, **range)


@dataclass(frozen=True, kw_only=True)
class Spiked(AttentionShape):
    """SpikedAttention: shape, code, number format, scales and unroll of one core.

    A value ``x`` is represented by one spike at step n with a sign, ``x = scale * sign *
    base**-n``. The float model fits scales of "auto" to the data; hardware generated without data
    uses the scales of standard normal operands (see `scales`).

    Unroll: `lanes` neurons process `events` spikes in one cycle; `encoders` sums are converted to
    spikes in one cycle.

    Source: "SpikedAttention", NeurIPS 2024.
    """

    NAME = "spiked"
    SUMMARY = "one-spike phase codes, trace products, softmax by spike shift (NeurIPS 2024)"
    SOURCE = '"SpikedAttention", NeurIPS 2024'
    VIEWS = ("values", "codes")
    UNROLL = ("lanes", "events")
    UNROLL_FOLLOWS = ("encoders",)
    SIZE_KEYS = ("tokens",)
    CYCLES_FOLLOW_DATA = True
    CASES, MUTANTS = cases.CASES, cases.MUTANTS
    PRESETS = presets.PRESETS
    BENCH = bench.ROWS
    IN_NETWORKS = bench.IN_NETWORKS

    tokens: int = integer("tokens N", low=1, high=MAX_TOKENS, why=HELD_WHY)
    head_dim: int = head_dim_key()
    value_dim: int = value_dim_key()
    steps: int = integer("time steps T of a one-spike code", low=1, high=64, default=40)
    base: float = number(
        "base B of the phase code: a spike one step later is worth 1/B as much",
        low=1.001,
        high=2,
        default=1.15,
        why="nearer to 1, 64 steps reach down by 6 % only and tables outgrow any device",
    )
    heads: int = integer(
        "heads taken one after the other at each start", low=1, high=256, default=1
    )
    mask: str = choice(
        "scores left out: none, or future tokens", choices=("none", "causal"), default="none"
    )
    frac_bits: int = integer("fraction bits of traces and sums", low=8, high=28, default=20)
    log_bits: int = integer(
        "mantissa bits of the logarithm that divides by the softmax sum", low=2, high=12, default=9
    )
    q_scale: float | str = scale("largest magnitude of Q")
    k_scale: float | str = scale("largest magnitude of K")
    v_scale: float | str = scale("largest magnitude of V")
    score_scale: float | str = scale(
        "largest magnitude of the scores Q K^T / sqrt(D)",
        high=LARGEST_SCORE,
        why="larger ones leave a softmax nothing to share out",
    )
    output_scale: float | str = scale("largest magnitude of the output")
    lanes: int = integer(
        "neurons per spike event and clock (default: up to 4, in groups of about equal size)",
        low=1,
        high=MAX_LANES,
        default=None,
        why=LANES_WHY,
    )
    events: int = integer(
        "spikes per clock: with 2, one of a neuron of even index and one of odd index",
        low=1,
        high=2,
        default=1,
        why="block RAM has two ports",
    )
    encoders: int = integer(
        "neurons encoded per cycle: a divisor of lanes, or any number if one group has all tokens "
        "(default: a divisor, about a seventh)",
        low=1,
        high=MAX_LANES,
        default=None,
        why=LANES_WHY,
    )

    def __post_init__(self):
        super().__post_init__()
        groups = -(-self.tokens // 4)
        self.derive(value_dim=self.head_dim, lanes=-(-self.tokens // groups))
        if self.lanes > self.tokens:
            raise self.error("lanes", self.lanes, f"1..tokens ({self.tokens})")
        shortest = min(self.tokens, self.head_dim)
        if self.events > shortest:
            allowed = f"1..the smaller of tokens and head_dim ({shortest})"
            raise self.error("events", self.events, allowed)
        self.derive(encoders=largest_divisor(self.lanes, -(-self.lanes // 7)))
        if self.encoders > self.lanes or (self.groups > 1 and self.lanes % self.encoders):
            allowed = f"a divisor of lanes ({self.lanes})"
            if self.groups == 1:
                allowed = f"1..lanes ({self.lanes})"
            raise self.error("encoders", self.encoders, allowed)

        # The largest sum of products is D, if all elements of query and key spike at step 0.
        most = self.head_dim * self.base ** (self.steps - 1) / self.half_step
        if self.score_gain > most:
            largest = self.scales["score"] * most / self.score_gain
            raise InputError(
                f"spiked: score_scale = {self.score_scale!r} makes every score vanish; score_scale "
                f"must be at most {largest:.6g} for these steps, base, q_scale and k_scale"
            )

    def _check(self, key, value):
        if not (value == AUTO and key.default == AUTO):
            super()._check(key, value)

    @property
    def half_step(self) -> float:
        """The threshold of step n is ``half_step * base**-n``, half way to the value of step n -
        1."""
        return (1 + 1 / self.base) / 2

    # Scales

    @property
    def scales(self) -> dict[str, float]:
        """Scale of "q", "k", "v", "score" and "output", each a number.

        "auto" is replaced by the approximate largest magnitude of as many standard normal numbers;
        for scores, by that for normal Q and K; for the output, by the scale of V, whose values it
        averages.
        """
        query = _largest_normal(self.tokens * self.head_dim)
        scales = {
            "q": self._or(self.q_scale, query),
            "k": self._or(self.k_scale, query),
            "v": self._or(self.v_scale, _largest_normal(self.tokens * self.value_dim)),
        }
        score = scales["q"] / query * scales["k"] / query * _largest_normal(self.tokens**2)
        scales["score"] = self._or(self.score_scale, min(score, LARGEST_SCORE))
        scales["output"] = self._or(self.output_scale, scales["v"])
        return scales

    def settled(self) -> Self:
        """The same hardware with a number for every scale of "auto"."""
        return replace(self, **{f"{name}_scale": scale for name, scale in self.scales.items()})

    @staticmethod
    def _or(value, typical):
        return typical if value == AUTO else float(value)

    @property
    def score_gain(self) -> float:
        """`score_scale` in units of the integer sums of products of two codes."""
        scales = self.scales
        return scales["score"] * sqrt(self.head_dim) / (scales["q"] * scales["k"])

    @property
    def output_gain(self) -> float:
        """`output_scale` in units of ``sum p v / sum p`` of codes."""
        return self.scales["output"] / self.scales["v"]

    # Groups and blocks of tokens

    @property
    def groups(self) -> int:
        """Groups of `lanes` tokens; the last may be partial."""
        return -(-self.tokens // self.lanes)

    @property
    def blocks(self) -> int:
        """Blocks of `encoders` tokens; the last may be partial."""
        return -(-self.tokens // self.encoders)

    @property
    def group_blocks(self) -> list[int]:
        """Blocks of each group."""
        full = -(-self.lanes // self.encoders)
        return [full] * (self.groups - 1) + [self.blocks - (self.groups - 1) * full]

    # Streams

    def _codes(self, width):
        """Port of codes, a token in a beat."""
        item = PhaseCode(self.steps)
        shape, beat = (self.tokens, width), (1, width)
        if self.heads == 1:
            return Port(axes="ND", shape=shape, item=item, beat=beat, closes="N")
        shape, beat = (self.heads, *shape), (1, *beat)
        return Port(axes="HND", shape=shape, item=item, beat=beat, closes="N")

    @property
    def inputs(self) -> dict[str, Port]:
        widths = {"q": self.head_dim, "k": self.head_dim, "v": self.value_dim}
        return {name: self._codes(width) for name, width in widths.items()}

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self._codes(self.value_dim)}

    # Interface of every core

    def create(self) -> Component:
        from .component import SpikedComponent

        return SpikedComponent(self)

    def golden(self, *, q: NDArray, k: NDArray, v: NDArray) -> dict[str, Any]:
        from . import golden

        heads = zip(*(self._by_head(x) for x in (q, k, v)), strict=True)
        output = np.stack([golden.run(self, *head) for head in heads])
        return {"o": output.reshape(self.outputs["o"].shape)}

    def _by_head(self, codes):
        """Codes (N, D) or (H, N, D) as (H, N, D)."""
        return codes.reshape(self.heads, self.tokens, -1)

    def cycles(self, **operands: NDArray) -> int:
        from .schedule import cycles

        if not operands:
            return cycles(self)
        spikes = ((operands[name] != 0).reshape(self.heads * self.tokens, -1) for name in "qv")
        return cycles(self, *(spike.tolist() for spike in spikes))

    def cycle_formula(self) -> str:
        from .schedule import cycle_formula

        return cycle_formula(self)

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        from .work import work

        if not operands:
            rng = np.random.default_rng(0)
            operands = self.operands_with(self.densities_or_typical(densities), rng)
        return work(self, operands)

    def stages(self) -> Drawing:
        from . import drawing

        return drawing.head()

    @classmethod
    def prepare(
        cls, settings: Mapping[str, Any], **tensors: NDArray
    ) -> tuple[Spiked, list[dict[str, NDArray]]]:
        """Encode real numbers (N, D) and (N, Dv), after fitting scales of "auto" to them."""
        from .fitting import encode_and_fit

        settings = cls.shape_settings(settings, "ND", tensors)
        core = cls.from_settings(settings)
        if core.heads != 1:
            raise InputError(f"heads = {core.heads}: heads come from the tensors' leading axis")
        return encode_and_fit(core, tensors)

    def golden_bytes(self) -> int:
        widest = max(self.head_dim, self.value_dim)
        return 80 * self.tokens**2 + 60 * self.tokens * widest

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        def values(codes):
            from .golden import decode

            return decode(self, codes) * self.scales["output"]

        return {"values": values, "codes": lambda codes: codes}

    def beat_cycles(self) -> int:
        return max(self.head_dim, self.value_dim + 1)

    def preload_cycles(self) -> int:
        return 2 * self.tokens * self.beat_cycles() + 8


def _largest_normal(count):
    """Approximate largest magnitude of `count` standard normal numbers."""
    return sqrt(2 * log(2 * count))
