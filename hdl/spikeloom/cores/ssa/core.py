"""The `ssa` core: its keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...configuration import (
    HELD_WHY,
    LANES_WHY,
    MAX_DIM,
    MAX_HELD,
    MAX_LANES,
    choice,
    integer,
    largest_divisor,
)
from ...item import Bit, Probability
from ...port import Port
from ...work import Work
from ..attention import AttentionShape, head_dim_key, value_dim_key
from . import bench, cases, presets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component
    from ...drawing import Drawing

MAX_SEED = 2**64 - 1

# Numbers of the core's random sources; sources with different numbers share no LFSR.
ENCODER_STREAMS = {"q": 0, "k": 1, "v": 2}
SCORE_STREAM = 3
OUTPUT_STREAM = 4

ENGINES = ("counter", "sampled")


@dataclass(frozen=True, kw_only=True)
class SSA(AttentionShape):
    """Stochastic spiking attention: shape, random source and unroll of one core.

    Engine "counter": the score stage and the output stage each AND ``cells * bits`` pairs of spikes
    per cycle: `bits` spikes of each of `cells` cells (query-key pairs). ``cells = 1, bits = 1`` is
    the smallest core; ``cells = tokens**2, bits = 1`` is the array of the paper; ``bits =
    head_dim`` counts a whole row per cycle.

    Engine "sampled": `lanes` query rows of each of `steps_at_once` time steps per cycle.

    Source: Song et al., "Stochastic Spiking Attention", arXiv 2402.09109.
    """

    NAME = "ssa"
    SUMMARY = (
        "stochastic spiking attention: LFSRs, AND gates, counters or drawn indices "
        "(arXiv 2402.09109)"
    )
    SOURCE = 'Song et al., "Stochastic Spiking Attention", arXiv 2402.09109'
    VIEWS = ("spikes", "rate")
    UNROLL = ("cells", "steps_at_once", "lanes", "bits")
    SIZE_KEYS = ("steps", "tokens")
    CASES, MUTANTS = cases.CASES, cases.MUTANTS
    PRESETS = presets.PRESETS
    BENCH = bench.ROWS
    IN_NETWORKS = bench.IN_NETWORKS

    tokens: int = integer("tokens N", low=1, high=MAX_HELD, why=HELD_WHY)
    head_dim: int = head_dim_key()
    value_dim: int = value_dim_key()
    steps: int = integer("time steps T", low=1, high=2**24, default=10)
    engine: str = choice("how scores are drawn", choices=ENGINES, default="counter")
    mask: str = choice(
        "scores left out: future tokens (causal) or the own token (self)",
        choices=("none", "causal", "self"),
        default="none",
    )
    input_kind: str = choice(
        "what the streams carry: spikes of every step, or values encoded on chip",
        choices=("spikes", "values"),
        default="spikes",
        key="inputs",
    )
    value_bits: int = integer("bits of an encoded value", low=1, high=16, default=8)
    random: str = choice(
        "how cells share random bits",
        choices=("slices", "own", "permuted"),
        default="slices",
    )
    seed: int = integer("seed of every LFSR", low=1, high=MAX_SEED, default=1)
    cells: int = integer(
        "score cells in parallel (default: N over a whole number, up to 16)",
        low=1,
        high=MAX_LANES**2,
        default=None,
        why=LANES_WHY,
    )
    bits: int = integer(
        "spikes per cell, or values encoded, per cycle (default: largest divisor of D and Dv to 8)",
        low=1,
        high=MAX_DIM,
        default=None,
    )
    lanes: int = integer(
        "engine sampled: query rows of a time step per cycle (default: 1)",
        low=1,
        high=MAX_LANES,
        default=None,
        why=LANES_WHY,
    )
    steps_at_once: int = integer(
        "engine sampled: time steps side by side (default: 1)",
        low=1,
        high=MAX_LANES,
        default=None,
        why=LANES_WHY,
    )
    indices: str = choice(
        "engine sampled: indices drawn anew at every step, or without replacement over the steps",
        choices=("lfsr", "stratified"),
        default="lfsr",
    )
    feed: str = choice(
        "engine sampled: what a beat of K and V is, a token or a diagonal",
        choices=("rows", "diagonals"),
        default="rows",
    )
    feed_rate: int = integer(
        "engine sampled: diagonals in a beat of K and V, a power of two (default: 1)",
        low=1,
        high=64,
        default=None,
    )

    def __post_init__(self):
        super().__post_init__()
        self.derive(value_dim=self.head_dim)
        if self.engine == "sampled":
            self._check_sampled()
        else:
            self._check_counter()

    def _check_counter(self):
        """Unroll of engine "counter"."""
        for key in ("lanes", "steps_at_once", "feed_rate"):
            if getattr(self, key) is not None:
                raise self.error(key, getattr(self, key), "left out with engine = counter")
        for key, only in (("indices", "lfsr"), ("feed", "rows")):
            if getattr(self, key) != only:
                raise self.error(key, getattr(self, key), f"{only} with engine = counter")
        shared = gcd(self.head_dim, self.value_dim)
        self.derive(cells=_default_cells(self.tokens), bits=largest_divisor(shared, 8))
        rows, rest = divmod(self.cells, self.tokens)
        if rows and (rest or self.tokens % rows):
            raise self.error(
                "cells",
                self.cells,
                f"at most tokens ({self.tokens}), or tokens times a divisor of it",
            )
        self._check_bits(shared)

    def _check_sampled(self):
        """Unroll of engine "sampled"."""
        if self.cells is not None:
            raise self.error("cells", self.cells, "left out with engine = sampled")
        self.derive(lanes=1, steps_at_once=1, feed_rate=1)
        if self.lanes > self.tokens:
            raise self.error("lanes", self.lanes, f"at most tokens ({self.tokens})")
        if self.steps_at_once > self.steps:
            raise self.error("steps_at_once", self.steps_at_once, f"at most steps ({self.steps})")
        if self.feed_rate > 1 and self.feed != "diagonals":
            raise self.error("feed_rate", self.feed_rate, "1 with feed = rows")
        if self.feed_rate & (self.feed_rate - 1) or self.feed_rate >= 2 * self.tokens:
            raise self.error(
                "feed_rate", self.feed_rate, f"a power of two below twice tokens ({self.tokens})"
            )
        if not self.by_value:
            if self.bits is not None:
                raise self.error(
                    "bits", self.bits, "left out with engine = sampled and inputs = spikes"
                )
            return
        for key, only in (("lanes", 1), ("steps_at_once", 1), ("feed", "rows")):
            if getattr(self, key) != only:
                raise self.error(key, getattr(self, key), f"{only} with inputs = values")
        shared = gcd(self.head_dim, self.value_dim)
        self.derive(bits=largest_divisor(shared, 8))
        self._check_bits(shared)

    def _check_bits(self, shared):
        if shared % self.bits:
            raise self.error(
                "bits",
                self.bits,
                f"a divisor of head_dim ({self.head_dim}) and value_dim ({self.value_dim})",
            )

    # Streams

    @property
    def by_value(self) -> bool:
        """Whether the streams carry values, which are encoded on chip, instead of spikes."""
        return self.input_kind == "values"

    @property
    def inputs(self) -> dict[str, Port]:
        if not self.by_value:
            return {name: self._spikes(name) for name in "qkv"}
        return {
            name: Port(
                axes="ND",
                shape=(self.tokens, self.width(name)),
                item=Probability(self.value_bits),
                beat=(1, 1),
                closes="N",
            )
            for name in "qkv"
        }

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self._spikes("o")}

    def _spikes(self, name):
        """Port of the spikes of "q", "k", "v" or "o"."""
        at_once = self.steps_at_once or 1
        stream = {
            "axes": "TND",
            "shape": (self.steps, self.tokens, self.width(name)),
            "item": Bit(),
            "beat": (at_once, self.beat_rows(name) // at_once, self.width(name)),
            "closes": "N",
        }
        if self.feed == "diagonals" and name in "kv":
            return DiagonalPort(**stream, period=self.head_dim)
        return Port(**stream)

    def width(self, operand: str) -> int:
        """Dimensions of a token of "q", "k", "v" or "o"."""
        return self.head_dim if operand in ("q", "k") else self.value_dim

    def beat_bits(self, operand: str) -> int:
        """Data bits of a stream beat of operand "q", "k" or "v"."""
        if self.by_value:
            return self.value_bits + 1
        return self.spike_bits(operand)

    def spike_bits(self, operand: str) -> int:
        """Spikes of a row of "q", "k", "v" or "o" per cycle, in a beat or from the encoders."""
        return self.width(operand) * self.beat_rows(operand)

    def beat_rows(self, operand: str) -> int:
        """Rows of spikes in a beat of "q", "k", "v" or "o": 1 unless the engine is "sampled"."""
        rows = self.lanes if operand in ("q", "o") else self.feed_rate
        return (self.steps_at_once or 1) * (rows or 1)

    # Schedule

    @property
    def query_lanes(self) -> int:
        """Query rows processed in parallel: 1 unless `cells` exceeds `tokens`."""
        return max(1, (self.cells or 1) // self.tokens)

    @property
    def key_lanes(self) -> int:
        """Keys processed in parallel for each query row."""
        return min(self.cells, self.tokens)

    @property
    def key_groups(self) -> int:
        """Groups of `key_lanes` keys; the last may be partial."""
        return -(-self.tokens // self.key_lanes)

    @property
    def encoder_lanes(self) -> int:
        """Values of a token encoded per cycle, enough not to stall the score stage."""
        if self.query_lanes > 1 or self.engine == "sampled":
            return self.bits
        needed = -(-self.cells * self.bits // self.tokens)
        return min(n for n in range(needed, self.bits + 1) if self.bits % n == 0)

    # Interface of every core

    def create(self) -> Component:
        if self.engine == "sampled":
            from .sampled.sampled import SampledSSA

            return SampledSSA(self)
        from .counter_ssa import CounterSSA

        return CounterSSA(self)

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

        return work(self, self.densities_or_typical(densities), operands)

    def stages(self) -> Drawing:
        from . import drawing

        return drawing.sampled(self) if self.engine == "sampled" else drawing.counter()

    @classmethod
    def prepare(
        cls, settings: Mapping[str, Any], **tensors: NDArray
    ) -> tuple[Self, list[dict[str, NDArray]]]:
        """Spikes (T, N, D) or values (N, D), inferred from the tensors unless `settings` specify
        it."""
        settings = {"inputs": _guess_inputs(tensors.get("q", ()))} | dict(settings)
        axes = "ND" if settings["inputs"] == "values" else "TND"
        why = f"inputs = {settings['inputs']}"
        settings = cls.shape_settings(settings, axes, tensors, why)
        core = cls.from_settings(settings)
        return core, core.split_runs(tensors)

    def describe(self) -> str:
        if self.engine == "counter":
            return self.SUMMARY.replace(" or drawn indices", "")
        return self.SUMMARY.replace(
            ": LFSRs, AND gates, counters or drawn indices",
            " without counters: LFSRs draw which pair of spikes decides",
        )

    def golden_bytes(self) -> int:
        spikes = self.steps * self.tokens * max(self.head_dim, self.value_dim)
        outputs = self.steps * self.tokens * self.value_dim
        pairs = self.steps * self.tokens**2
        encoded = 70 * spikes if self.by_value else 0
        return encoded + pairs + outputs * (40 if self.engine == "sampled" else 1)

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        return {"spikes": lambda spikes: spikes, "rate": lambda spikes: spikes.mean(axis=-3)}

    def beat_cycles(self) -> int:
        if self.by_value:
            return 1
        if self.engine == "sampled":
            return 2
        return max(self.head_dim, self.value_dim) // self.bits

    def preload_cycles(self) -> int:
        from .sampled import layout

        if self.by_value:
            return self.tokens * max(self.head_dim, self.value_dim) + 8
        if self.engine == "sampled":
            return layout.banks(self) * (layout.feed_beats(self) + layout.skew(self)) + 8
        return 2 * self.tokens * self.beat_cycles() + 8


@dataclass(frozen=True)
class DiagonalPort(Port):
    """K or V in diagonal order: word b of column x is ``M[(x mod D + b) mod
    N, x]``, with `period` = D."""

    period: int

    def arrange(self, tensor: NDArray) -> NDArray:
        return tensor[:, *self._diagonal()]

    def restore(self, tensor: NDArray) -> NDArray:
        whole = np.empty_like(tensor)
        whole[:, *self._diagonal()] = tensor
        return whole

    def _diagonal(self):
        """Source row and column of each word of each column."""
        _, tokens, width = self.shape
        word, column = np.ogrid[:tokens, :width]
        return (column % self.period + word) % tokens, column


def _guess_inputs(q):
    """Integers, or three axes of zeros and ones, are spikes; anything else is values."""
    q = np.asarray(q)
    if q.ndim <= 2:
        return "values"
    return "spikes" if q.dtype.kind != "f" or np.isin(q, (0, 1)).all() else "values"


def _default_cells(tokens):
    """Default of `cells`: the largest divisor of `tokens` up to 16, or, if that is below 4, up to
    16 with a partial last group."""
    divisor = largest_divisor(tokens, 16)
    if divisor >= min(4, tokens):
        return divisor
    return -(-tokens // -(-tokens // 16))
