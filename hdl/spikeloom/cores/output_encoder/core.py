"""The `output_encoder` unit: keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...configuration import LANES_WHY, MAX_DIM, MAX_HELD, MAX_LANES, integer, number
from ...item import PhaseCode, SInt
from ...port import Port
from ...work import Work
from ..phase_coded import PhaseCoded
from ..spiked.core import Spiked
from ..spiked.work import output_work
from .edges import operands_at_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component


@dataclass(frozen=True, kw_only=True)
class OutputEncoderUnit(PhaseCoded):
    """Turns lines of sums x, divided by normalisers z, into one-spike codes::

        n = min {n >= 0 : |x[d, t]| / (output_scale * z[t]) >= (1 + 1/B) / 2 * B**-n}

    Line 0 of the input is z, a sum for each of `tokens` tokens; `value_dim` lines of x follow. The
    division is a difference of logarithms with `log_bits` mantissa bits, so that n may differ by
    one near a threshold. Only the magnitude of z is used; 0 is replaced by ``2**-frac_bits``.
    """

    NAME = "output_encoder"
    VIEWS = ("values", "codes")
    SUMMARY = "one-spike codes of sums over a normaliser: logarithms in place of a division"
    UNROLL = ("encoders",)
    SIZE_KEYS = ("tokens", "value_dim")
    CASES = {
        "one value": {"tokens": 1, "value_dim": 1},
        "one step": {"tokens": 3, "value_dim": 4, "steps": 1, "encoders": 2},
        "one encoder": {"tokens": 5, "value_dim": 6, "steps": 16, "base": 1.4},
        "all encoders": {"tokens": 4, "value_dim": 5, "encoders": 4},
        "partial block": {"tokens": 7, "value_dim": 5, "encoders": 3, "output_scale": 1.6},
        "one token, many lines": {"tokens": 1, "value_dim": 30},
        "64 steps, B near 1": {
            **{"tokens": 6, "value_dim": 6, "encoders": 4, "steps": 64, "base": 1.02},
            **{"log_bits": 12},
        },
        "fewest bits": {
            **{"tokens": 8, "value_dim": 4, "encoders": 8, "frac_bits": 8, "log_bits": 2},
            **{"steps": 20, "base": 2.0},
        },
        "most bits": {
            **{"tokens": 6, "value_dim": 4, "encoders": 2, "frac_bits": 28, "log_bits": 12},
            **{"output_scale": 0.3},
        },
        "scale out of reach": {"tokens": 5, "value_dim": 4, "encoders": 2, "output_scale": 1e9},
        "all at step 0": {"tokens": 5, "value_dim": 4, "encoders": 2, "output_scale": 1e-12},
    }
    # With so many sums and logarithms, nearly every bit of one changes an output for some pair.
    MUTANTS = {
        "partial block": CASES["partial block"] | {"frac_bits": 28, "log_bits": 8},
        "one encoder": CASES["one encoder"] | {"frac_bits": 28, "log_bits": 8},
    }

    tokens: int = integer(
        "tokens N: sums of a line", low=1, high=MAX_HELD, why="as many as `spiked` takes"
    )
    value_dim: int = integer(
        "lines of sums after that of the normalisers",
        low=1,
        high=MAX_DIM,
        why="as many as `spiked` takes",
    )
    encoders: int = integer("sums per cycle", low=1, high=MAX_LANES, default=1, why=LANES_WHY)
    log_bits: int = integer("mantissa bits of the logarithms", low=2, high=12, default=9)
    output_scale: float = number(
        "value of an output that spikes at step 0", low=1e-30, high=1e30, default=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoders > self.tokens:
            raise self.error("encoders", self.encoders, f"at most tokens ({self.tokens})")

    @property
    def stage(self) -> Spiked:
        """A `spiked` core with this stage, whose values have a scale of 1."""
        return self.stage_of(
            tokens=self.tokens,
            value_dim=self.value_dim,
            lanes=self.encoders,
            encoders=self.encoders,
            log_bits=self.log_bits,
            v_scale=1.0,
            output_scale=self.output_scale,
        )

    @property
    def inputs(self) -> dict[str, Port]:
        largest = self.tokens << self.frac_bits
        item = SInt(largest.bit_length() + 1)
        shape, beat = (1 + self.value_dim, self.tokens), (1, self.encoders)
        return {"i": Port(axes="ND", shape=shape, item=item, beat=beat, closes="N")}

    @property
    def outputs(self) -> dict[str, Port]:
        shape, beat = (self.value_dim, self.tokens), (1, self.encoders)
        item = PhaseCode(self.steps)
        return {"o": Port(axes="ND", shape=shape, item=item, beat=beat, closes="N")}

    def component(self) -> Component:
        from ...blocks.queued_stage import QueuedStage
        from ..spiked.output_encoder import OutputEncoder

        return QueuedStage(OutputEncoder(self.stage, self.tokens), OutputEncoder.delay + 1)

    def golden(self, *, i: NDArray) -> dict[str, NDArray]:
        from ..spiked.golden import encode_quotients
        from ..spiked.tables import threshold_log

        normaliser, *sums = np.asarray(i, np.int64)
        stage = self.stage
        offset = threshold_log(stage, stage.output_gain)
        return {"o": encode_quotients(stage, np.array(sums), abs(normaliser), offset)}

    def cycles(self, **operands: NDArray) -> int:
        from ...blocks.queued_stage import QUEUE_DELAY
        from ..spiked.output_encoder import OutputEncoder

        return self.inputs["i"].beats + OutputEncoder.delay + QUEUE_DELAY

    def cycle_formula(self) -> str:
        from ...blocks.queued_stage import QUEUE_DELAY
        from ..spiked.output_encoder import OutputEncoder

        delay = OutputEncoder.delay + QUEUE_DELAY
        return f"{delay} + (1 + value_dim) * ceil(tokens / encoders)"

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        return output_work(self.stage, self.value_dim * self.tokens, self.tokens)

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        return self.code_views(self.output_scale)

    def random_operands(self, rng: np.random.Generator, density: float = 0.5) -> dict[str, NDArray]:
        """Sums spread over the steps, unless `density` is 0 or 1."""
        operands = super().random_operands(rng, density)
        if 0 < density < 1:
            operands["i"][1:] = self.spread_out(operands["i"][1:], rng)
        return operands

    def edge_operands(self, rng: np.random.Generator) -> dict[str, NDArray]:
        return {"i": operands_at_edges(self, rng)}
