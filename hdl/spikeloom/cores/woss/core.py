"""The `woss` unit: keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...configuration import LANES_WHY, MAX_HELD, MAX_LANES, choice, integer, number
from ...item import PhaseCode
from ...port import Port
from ...work import Work
from ..phase_coded import PhaseCoded
from ..spiked.core import LARGEST_SCORE, Spiked
from ..spiked.work import woss_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component


@dataclass(frozen=True, kw_only=True)
class WossUnit(PhaseCoded):
    """Converts each row of score codes to codes of probabilities, not divided by their sum::

        u[j] = score_scale * (s[j] - s[winner])
        m[j] = min {m >= 0 : u[j] >= (1/2 - m) * ln B}

    s is a decoded score, ``sign * B**-n``; the winner is the largest positive score of the row, or
    0 if there is none. ``B**-m`` approximates ``exp(u)``, the numerator of the softmax.

    Row i is query i: with `mask` causal, it attends only to tokens 0..i; the others neither win nor
    fire.
    """

    NAME = "woss"
    VIEWS = ("values", "codes")
    SUMMARY = "winner-oriented spike shift: softmax of one-spike codes, subtractions only"
    UNROLL = ("encoders",)
    SIZE_KEYS = ("tokens",)
    CASES = {
        "one token": {"tokens": 1, "score_scale": 3.0},
        "one step": {"tokens": 4, "steps": 1, "encoders": 2, "score_scale": 1.0},
        "one encoder": {"tokens": 5, "score_scale": 2.0, "steps": 16, "base": 1.4},
        "all encoders": {"tokens": 6, "encoders": 6, "score_scale": 2.5},
        "partial block": {"tokens": 7, "encoders": 3, "score_scale": 4.0},
        "all encoders, causal": {"tokens": 4, "encoders": 4, "mask": "causal", "score_scale": 1.5},
        "causal": {"tokens": 8, "encoders": 2, "mask": "causal", "score_scale": 2.0},
        "causal, partial block": {
            **{"tokens": 7, "encoders": 4, "mask": "causal", "score_scale": 1.5},
        },
        "64 steps, B near 1": {
            **{"tokens": 6, "encoders": 4, "steps": 64, "base": 1.02, "score_scale": 0.8},
        },
        "fewest bits, B = 2": {
            **{"tokens": 9, "encoders": 3, "steps": 12, "base": 2.0, "frac_bits": 8},
            **{"score_scale": 6.0},
        },
        "most bits, largest scale": {
            **{"tokens": 5, "encoders": 2, "base": 1.001, "steps": 64, "frac_bits": 28},
            **{"score_scale": 1e6},
        },
        "least scale: all fire alike": {"tokens": 5, "encoders": 5, "score_scale": 1e-9},
        "17 tokens": {"tokens": 17, "encoders": 5, "score_scale": 3.0, "mask": "causal"},
    }
    # A full table of potentials, of so few bits that each changes an output for some score.
    _FULL_TABLE = {"steps": 32, "frac_bits": 8, "score_scale": 2.5}
    MUTANTS = {
        "partial block": CASES["partial block"] | _FULL_TABLE,
        "causal, partial block": CASES["causal, partial block"] | _FULL_TABLE,
    }

    tokens: int = integer(
        "tokens N: rows, and scores of a row", low=1, high=MAX_HELD, why="as many as `spiked` takes"
    )
    encoders: int = integer("scores per cycle", low=1, high=MAX_LANES, default=1, why=LANES_WHY)
    mask: str = choice(
        "scores left out: none, or future tokens", choices=("none", "causal"), default="none"
    )
    score_scale: float = number(
        "value of a score that spikes at step 0", low=1e-30, high=LARGEST_SCORE, default=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoders > self.tokens:
            raise self.error("encoders", self.encoders, f"at most tokens ({self.tokens})")

    @property
    def stage(self) -> Spiked:
        """A `spiked` core that contains this stage, with scores in units of the scale."""
        return self.stage_of(
            tokens=self.tokens,
            mask=self.mask,
            lanes=self.encoders,
            encoders=self.encoders,
            q_scale=1.0,
            k_scale=self.score_scale,
            score_scale=self.score_scale,
        )

    def _port(self, item: PhaseCode) -> Port:
        shape, beat = (self.tokens, self.tokens), (1, self.encoders)
        return Port(axes="ND", shape=shape, item=item, beat=beat, closes="N")

    @property
    def inputs(self) -> dict[str, Port]:
        return {"i": self._port(PhaseCode(self.steps))}

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self._port(PhaseCode(self.steps, bipolar=False))}

    def component(self) -> Component:
        from ...blocks.queued_stage import QueuedStage
        from ..spiked.woss import Woss, woss_delay

        stage = self.stage
        return QueuedStage(Woss(stage), stage.blocks + woss_delay(stage))

    def golden(self, *, i: NDArray) -> dict[str, NDArray]:
        from ..spiked.golden import woss
        from ..spiked.golden.head import admitted

        return {"o": woss(self.stage, i, admitted(self.tokens, self.mask))}

    def edge_operands(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Winners of any value, as a weak one is rare among random scores, and any scores beside
        them: their difference is compared with each threshold."""
        shape = (self.tokens, self.tokens)
        winner = rng.integers(1, 4 * self.steps // 3 + 2, self.tokens)  # above steps: none
        scores = rng.integers(-self.steps, self.steps + 1, shape)
        scores = np.where((scores > 0) & (scores < winner[:, None]), -scores, scores)
        rows = np.flatnonzero(winner <= self.steps)
        scores[rows, rng.integers(0, self.tokens, len(rows))] = winner[rows]
        return {"i": scores.astype(np.int16)}

    def cycles(self, **operands: NDArray) -> int:
        from ...blocks.queued_stage import QUEUE_DELAY
        from ..spiked.woss import woss_delay

        port = self.inputs["i"]
        row = port.grid[1]
        return port.beats + woss_delay(self.stage) + row - 1 + QUEUE_DELAY

    def cycle_formula(self) -> str:
        from ...blocks.queued_stage import QUEUE_DELAY
        from ..spiked.woss import DELAY, PAIRS

        fixed = f"{DELAY + QUEUE_DELAY - 1} + (encoders > {PAIRS})"
        return f"{fixed} + (tokens + 1) * ceil(tokens / encoders)"

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        count = self.tokens**2
        if self.mask == "causal":
            count = self.tokens * (self.tokens + 1) // 2
        return woss_work(self.stage, count)

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        return self.code_views()
