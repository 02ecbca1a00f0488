"""Configuration of the `ssa` core: stochastic spiking attention."""

from dataclasses import dataclass
from math import gcd

from .base import (
    DIM_WHY,
    HELD_WHY,
    LANES_WHY,
    MAX_DIM,
    MAX_HELD,
    MAX_LANES,
    CoreConfig,
    choice,
    integer,
    largest_divisor,
)

MAX_SEED = 2**64 - 1

# Numbers of the core's random sources: no two share an LFSR.
ENCODER_STREAMS = {"q": 0, "k": 1, "v": 2}
SCORE_STREAM = 3
OUTPUT_STREAM = 4

ENGINES = ("counter", "sampled")


@dataclass(frozen=True, kw_only=True)
class SSAConfig(CoreConfig):
    """Shape, random source and unroll of one `ssa` core.

    Engine "counter": each step of the score stage and of the output stage ANDs ``cells * bits``
    pairs of spikes per clock: `cells` cells (query-key pairs) side by side, `bits` spikes of each
    at once. ``cells = 1, bits = 1`` is the smallest core; ``cells = tokens**2, bits = 1`` is the
    array of the paper; ``bits = head_dim`` counts whole rows at once.

    Engine "sampled": `lanes` query rows of each of `steps_at_once` time steps per clock.

    Source: Song et al., "Stochastic Spiking Attention", arXiv 2402.09109.
    """

    core = "ssa"

    tokens: int = integer("tokens N", low=1, high=MAX_HELD, why=HELD_WHY)
    head_dim: int = integer("head dimension D of Q and K", low=1, high=MAX_DIM, why=DIM_WHY)
    value_dim: int | None = integer(
        "head dimension Dv of V (default: head_dim)",
        low=1,
        high=MAX_DIM,
        default=None,
        why=DIM_WHY,
    )
    steps: int = integer("time steps T", low=1, high=2**24, default=10)
    engine: str = choice("how scores are drawn", choices=ENGINES, default="counter")
    mask: str = choice(
        "scores left out: future tokens (causal) or the own token (self)",
        choices=("none", "causal", "self"),
        default="none",
    )
    inputs: str = choice(
        "what the streams carry: spikes of every step, or values encoded on chip",
        choices=("spikes", "values"),
        default="spikes",
    )
    value_bits: int = integer("bits of an encoded value", low=1, high=16, default=8)
    random: str = choice(
        "how cells come by random bits",
        choices=("slices", "own", "permuted"),
        default="slices",
    )
    seed: int = integer("seed of every LFSR", low=1, high=MAX_SEED, default=1)
    cells: int | None = integer(
        "score cells in parallel (default: N over a whole number, up to 16)",
        low=1,
        high=MAX_LANES**2,
        default=None,
        why=LANES_WHY,
    )
    bits: int | None = integer(
        "spikes per cell, or values encoded, per clock (default: largest divisor of D and Dv to 8)",
        low=1,
        high=MAX_DIM,
        default=None,
    )
    lanes: int | None = integer(
        "engine sampled: query rows of a time step per clock (default: 1)",
        low=1,
        high=MAX_LANES,
        default=None,
        why=LANES_WHY,
    )
    steps_at_once: int | None = integer(
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

    def __post_init__(self):
        super().__post_init__()
        self.derive(value_dim=self.head_dim)
        if self.engine == "sampled":
            self._check_sampled()
        else:
            self._check_counter()

    def _check_counter(self):
        """Unroll of engine "counter"."""
        for key in ("lanes", "steps_at_once"):
            if getattr(self, key) is not None:
                raise self.error(key, getattr(self, key), "left out with engine = counter")
        for key, only in (("indices", "lfsr"), ("feed", "rows")):
            if getattr(self, key) != only:
                raise self.error(key, getattr(self, key), f"{only} with engine = counter")
        shared = gcd(self.head_dim, self.value_dim)
        self.derive(cells=_usual_cells(self.tokens), bits=largest_divisor(shared, 8))
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
        self.derive(lanes=1, steps_at_once=1)
        if self.lanes > self.tokens:
            raise self.error("lanes", self.lanes, f"at most tokens ({self.tokens})")
        if self.steps_at_once > self.steps:
            raise self.error("steps_at_once", self.steps_at_once, f"at most steps ({self.steps})")
        if self.inputs == "spikes":
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

    # What the streams carry

    def width(self, operand):
        """Dimensions of a token of "q", "k", "v" or "o"."""
        return self.head_dim if operand in ("q", "k") else self.value_dim

    def beat_bits(self, operand):
        """Data bits of a stream beat of operand "q", "k" or "v"."""
        if self.inputs == "values":
            return self.value_bits + 1
        return self.spike_bits(operand)

    def spike_bits(self, operand):
        """Spikes of "q", "k", "v" or "o" that go by at once, in a beat or behind the encoders."""
        return self.width(operand) * self.beat_rows(operand)

    def beat_rows(self, operand):
        """Rows of spikes in a beat of "q", "k", "v" or "o": 1 unless the engine is "sampled"."""
        rows = self.steps_at_once or 1
        return rows * (self.lanes or 1) if operand in ("q", "o") else rows

    # How the unroll cuts the work into clocks

    @property
    def query_lanes(self):
        """Query rows worked on at once: 1 unless `cells` exceeds `tokens`."""
        return max(1, (self.cells or 1) // self.tokens)

    @property
    def key_lanes(self):
        """Keys compared with each of those query rows at once."""
        return min(self.cells, self.tokens)

    @property
    def key_groups(self):
        """Groups of `key_lanes` keys; the last may be partial."""
        return -(-self.tokens // self.key_lanes)

    @property
    def encoder_lanes(self):
        """Values of one token encoded per clock, enough never to hold up the score stage."""
        if self.query_lanes > 1 or self.engine == "sampled":
            return self.bits
        needed = -(-self.cells * self.bits // self.tokens)
        return min(n for n in range(needed, self.bits + 1) if self.bits % n == 0)


def _usual_cells(tokens):
    """Cells by default: the largest divisor of `tokens` up to 16, or, where that is below 4, up to
    16 with a partial last group."""
    divisor = largest_divisor(tokens, 16)
    if divisor >= min(4, tokens):
        return divisor
    return -(-tokens // -(-tokens // 16))
