"""Configuration of the `ssa` core: stochastic spiking attention."""

from dataclasses import dataclass
from math import gcd

from .base import CoreConfig, choice, integer, largest_divisor

MAX_SEED = 2**64 - 1

# Numbers of the core's random sources: no two share an LFSR.
ENCODER_STREAMS = {"q": 0, "k": 1, "v": 2}
SCORE_STREAM = 3
OUTPUT_STREAM = 4


@dataclass(frozen=True, kw_only=True)
class SSAConfig(CoreConfig):
    """Shape, random source and unroll of one `ssa` core.

    Each step of the score stage and of the output stage ANDs ``cells * bits`` pairs of spikes per
    clock: `cells` cells (query-key pairs) side by side, `bits` spikes of each at once. ``cells = 1,
    bits = 1`` is the smallest core; ``cells = tokens**2, bits = 1`` is the array of the paper;
    ``bits = head_dim`` counts whole rows at once.

    Source: Song et al., "Stochastic Spiking Attention", arXiv 2402.09109.
    """

    core = "ssa"

    tokens: int = integer("tokens N", low=1, high=256)
    head_dim: int = integer("head dimension D of Q and K", low=1, high=256)
    value_dim: int | None = integer(
        "head dimension Dv of V (default: head_dim)", low=1, high=256, default=None
    )
    steps: int = integer("time steps T", low=1, high=2**24, default=10)
    engine: str = choice("how scores are drawn", choices=("counter",), default="counter")
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
        "score cells in parallel (default: largest divisor of N up to 16)",
        low=1,
        high=65536,
        default=None,
    )
    bits: int | None = integer(
        "spikes per cell per clock (default: largest divisor of D and Dv up to 8)",
        low=1,
        high=256,
        default=None,
    )

    def __post_init__(self):
        super().__post_init__()
        self.derive(value_dim=self.head_dim)
        shared = gcd(self.head_dim, self.value_dim)
        self.derive(cells=largest_divisor(self.tokens, 16), bits=largest_divisor(shared, 8))
        rows, rest = divmod(self.cells, self.tokens)
        if self.tokens % self.cells and (rest or rows > self.tokens or self.tokens % rows):
            raise self.error(
                "cells",
                self.cells,
                f"a divisor of tokens ({self.tokens}), or tokens times such a divisor",
            )
        if shared % self.bits:
            raise self.error(
                "bits",
                self.bits,
                f"a divisor of head_dim ({self.head_dim}) and value_dim ({self.value_dim})",
            )

    # What the streams carry

    def width(self, operand):
        """Dimensions of a token of operand "q", "k" or "v"."""
        return self.value_dim if operand == "v" else self.head_dim

    def beat_bits(self, operand):
        """Data bits of a stream beat of operand "q", "k" or "v"."""
        return self.value_bits + 1 if self.inputs == "values" else self.width(operand)

    # How the unroll cuts the work into clocks

    @property
    def query_lanes(self):
        """Query rows worked on at once: 1 unless `cells` exceeds `tokens`."""
        return max(1, self.cells // self.tokens)

    @property
    def key_lanes(self):
        """Keys compared with each of those query rows at once."""
        return min(self.cells, self.tokens)

    @property
    def encoder_lanes(self):
        """Values of one token encoded per clock, enough never to hold up the score stage."""
        if self.query_lanes > 1:
            return self.bits
        needed = -(-self.cells * self.bits // self.tokens)
        return min(n for n in range(needed, self.bits + 1) if self.bits % n == 0)
