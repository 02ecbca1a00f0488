"""Configuration of the `spiked` core: SpikedAttention."""

from dataclasses import dataclass, replace
from math import log, sqrt

from ..errors import InputError
from .base import (
    DIM_WHY,
    HELD_WHY,
    LANES_WHY,
    MAX_DIM,
    MAX_LANES,
    CoreConfig,
    choice,
    integer,
    largest_divisor,
    number,
)

AUTO = "auto"
LARGEST_SCORE = 1e6
MAX_TOKENS = 2**10


def scale(help, low=1e-30, high=1e30, **range):
    """A key that scales data: a positive number, or "auto", the largest magnitude of the data."""
    return number(help, low=low, high=high, default=AUTO, **range)


@dataclass(frozen=True, kw_only=True)
class SpikedConfig(CoreConfig):
    """Shape, code, number format, scales and unroll of one `spiked` core.

    A value ``x`` travels as one spike at step n with a sign, ``x = scale * sign * base**-n``.
    Scales left at "auto" are fitted to the data by the float model; hardware made without data
    takes those of standard normal operands (see `scales`).

    Unroll: `lanes` neurons take in a spike event at once; `encoders` of them are turned back into
    spikes at once.

    Source: "SpikedAttention", NeurIPS 2024.
    """

    core = "spiked"

    tokens: int = integer("tokens N", low=1, high=MAX_TOKENS, why=HELD_WHY)
    head_dim: int = integer("head dimension D of Q and K", low=1, high=MAX_DIM, why=DIM_WHY)
    value_dim: int | None = integer(
        "head dimension Dv of V (default: head_dim)",
        low=1,
        high=MAX_DIM,
        default=None,
        why=DIM_WHY,
    )
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
        low=0,
        high=LARGEST_SCORE,
        low_open=True,
        why="larger ones leave a softmax nothing to share out",
    )
    output_scale: float | str = scale("largest magnitude of the output")
    seed: int = integer(
        "taken for the sake of one contract; this core draws nothing at random",
        low=1,
        high=2**64 - 1,
        default=1,
    )
    lanes: int | None = integer(
        "neurons per spike event and clock (default: up to 4)",
        low=1,
        high=MAX_LANES,
        default=None,
        why=LANES_WHY,
    )
    encoders: int | None = integer(
        "neurons encoded per clock (default: a divisor of lanes, about a seventh)",
        low=1,
        high=MAX_LANES,
        default=None,
        why=LANES_WHY,
    )

    def __post_init__(self):
        super().__post_init__()
        self.derive(value_dim=self.head_dim, lanes=min(self.tokens, 4))
        if self.lanes > self.tokens:
            raise self.error("lanes", self.lanes, f"1..tokens ({self.tokens})")
        self.derive(encoders=largest_divisor(self.lanes, -(-self.lanes // 7)))
        if self.lanes % self.encoders:
            raise self.error("encoders", self.encoders, f"a divisor of lanes ({self.lanes})")

        # Every query and key spiking at step 0 makes the largest sum of products, D.
        most = self.head_dim * self.base ** (self.steps - 1) / self.half_step
        if self.score_gain > most:
            largest = self.score_scale * most / self.score_gain
            raise InputError(
                f"spiked: score_scale = {self.score_scale!r} makes every score vanish; score_scale "
                f"must be at most {largest:.6g} for these steps, base, q_scale and k_scale"
            )

    def _check(self, key, value):
        if not (value == AUTO and key.default == AUTO):
            super()._check(key, value)

    @property
    def half_step(self):
        """A magnitude spikes at step n from ``half_step * base**-n`` on: half way to step n - 1."""
        return (1 + 1 / self.base) / 2

    # Scales

    @property
    def scales(self):
        """Scale of "q", "k", "v", "score" and "output", each a number.

        In place of "auto": about the largest of as many standard normal numbers; for scores, of
        normal Q and K with their scales; for the output, an average of values, the scale of V.
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

    def settled(self):
        """The same hardware with numbers for scales left at "auto"."""
        return replace(self, **{f"{name}_scale": scale for name, scale in self.scales.items()})

    @staticmethod
    def _or(value, typical):
        return typical if value == AUTO else float(value)

    @property
    def score_gain(self):
        """`score_scale` in units of the integer sums of products of two codes."""
        scales = self.scales
        return scales["score"] * sqrt(self.head_dim) / (scales["q"] * scales["k"])

    @property
    def output_gain(self):
        """`output_scale` in units of ``sum p v / sum p`` of codes."""
        return self.scales["output"] / self.scales["v"]

    # How the unroll cuts the tokens

    @property
    def groups(self):
        """Groups of `lanes` tokens; the last may be partial."""
        return -(-self.tokens // self.lanes)

    @property
    def blocks(self):
        """Blocks of `encoders` tokens; the last may be partial."""
        return -(-self.tokens // self.encoders)

    @property
    def group_blocks(self):
        """Blocks of each group."""
        full = self.lanes // self.encoders
        return [full] * (self.groups - 1) + [self.blocks - (self.groups - 1) * full]


def _largest_normal(count):
    """About the largest magnitude among `count` standard normal numbers."""
    return sqrt(2 * log(2 * count))
