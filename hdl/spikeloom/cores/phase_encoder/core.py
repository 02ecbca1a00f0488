"""The `phase_encoder` unit: keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...configuration import LANES_WHY, MAX_LANES, choice, integer, number
from ...item import Item, PhaseCode, SInt
from ...port import Port
from ...work import Work
from ..phase_coded import PhaseCoded
from ..spiked.work import encoding_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component

RANGE_BITS = 9  # a sign, and sums up to 256 products of 1, the largest of `spiked`


@dataclass(frozen=True, kw_only=True)
class PhaseEncoderUnit(PhaseCoded):
    """Turns sums x with `frac_bits` fraction bits into one-spike codes::

        n = min {n >= 0 : |x| / scale >= (1 + 1/B) / 2 * B**-n}

    There is no spike where n would be `steps` or more. The sign of a spike is that of x. Codes are
    0 for no spike, else ``sign * (n + 1)``.
    """

    NAME = "phase_encoder"
    VIEWS = ("values", "codes")
    SUMMARY = "one-spike phase encoder: a sum fires once, the earlier the larger it is"
    UNROLL = ("lanes",)
    SIZE_KEYS = ("values",)
    CASES = {
        "one value": {"values": 1, "input_bits": 21},
        "one step": {"values": 9, "input_bits": 12, "frac_bits": 8, "steps": 1},
        "all lanes": {"values": 8, "lanes": 8, "input_bits": 22, "steps": 16, "base": 1.4},
        "partial beat": {"values": 50, "lanes": 3, "input_bits": 24, "scale": 1.7},
        "64 steps, B near 1": {
            **{"values": 70, "lanes": 2, "input_bits": 22, "steps": 64, "base": 1.02},
        },
        "B = 2": {"values": 60, "lanes": 2, "input_bits": 20, "steps": 20, "base": 2.0},
        "fewest bits": {
            **{"values": 30, "lanes": 4, "input_bits": 2, "frac_bits": 8, "scale": 0.01},
        },
        "widest": {"values": 40, "lanes": 2, "input_bits": 37, "frac_bits": 28, "scale": 200.0},
        "B least": {
            **{"values": 120, "input_bits": 24, "steps": 64, "base": 1.001, "scale": 4.0},
        },
        "positive spikes only": {"values": 33, "lanes": 2, "input_bits": 21, "output": "positive"},
        "scale out of reach": {"values": 12, "lanes": 5, "input_bits": 16, "scale": 1e6},
        "all at step 0": {"values": 12, "lanes": 5, "input_bits": 16, "scale": 1e-9},
    }
    # So few bits of a sum that most change an output for some sum.
    MUTANTS = {
        "partial beat": CASES["partial beat"] | {"frac_bits": 8, "input_bits": 12},
        "positive spikes only": CASES["positive spikes only"] | {"frac_bits": 8, "input_bits": 11},
    }

    values: int = integer("values of a run", low=1, high=2**24)
    lanes: int = integer("values per cycle", low=1, high=MAX_LANES, default=1, why=LANES_WHY)
    input_bits: int = integer("bits of a signed sum", low=2, high=37)
    scale: float = number(
        "value of a spike at step 0, in units of 2**frac_bits", low=1e-30, high=1e30, default=1.0
    )
    output: str = choice(
        "spikes: of either sign, or none for negative sums",
        choices=("signed", "positive"),
        default="signed",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input_bits > self.frac_bits + RANGE_BITS:
            raise self.error(
                "input_bits", self.input_bits, f"at most frac_bits + 9 ({self.frac_bits + 9})"
            )

    def _port(self, item: Item) -> Port:
        return Port(axes="N", shape=(self.values,), item=item, beat=(self.lanes,), closes="N")

    @property
    def inputs(self) -> dict[str, Port]:
        return {"i": self._port(SInt(self.input_bits))}

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self._port(PhaseCode(self.steps, bipolar=self.output == "signed"))}

    def component(self) -> Component:
        from amaranth.hdl import signed

        from ...blocks.queued_stage import QueuedStage
        from .component import PhaseEncoderBank

        bank = PhaseEncoderBank(
            self.stage_of(),
            lanes=self.lanes,
            shape=signed(self.input_bits),
            scale=self.scale,
            bipolar=self.output == "signed",
        )
        return QueuedStage(bank, bank.delay + 1)

    def golden(self, *, i: NDArray) -> dict[str, NDArray]:
        from ..spiked.golden import encode_sums

        codes = encode_sums(self.stage_of(), np.asarray(i, np.int64), self.scale)
        return {"o": codes if self.output == "signed" else np.maximum(codes, 0)}

    def cycles(self, **operands: NDArray) -> int:
        from ...blocks.queued_stage import QUEUE_DELAY
        from .component import PhaseEncoderBank

        return self.inputs["i"].beats + PhaseEncoderBank.delay + QUEUE_DELAY

    def cycle_formula(self) -> str:
        from ...blocks.queued_stage import QUEUE_DELAY
        from .component import PhaseEncoderBank

        return f"{PhaseEncoderBank.delay + QUEUE_DELAY} + ceil(values / lanes)"

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        return encoding_work(self.stage_of(), self.values)

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        return self.code_views(self.scale)

    def random_operands(self, rng: np.random.Generator, density: float = 0.5) -> dict[str, NDArray]:
        """Sums spread over the steps, unless `density` is 0 or 1."""
        operands = super().random_operands(rng, density)
        if 0 < density < 1:
            operands["i"] = self.spread_out(operands["i"], rng)
        return operands

    def edge_operands(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Random sums, either way, each the smallest that spikes at some step, or one less."""
        goal = rng.integers(1, self.steps + 1, self.values)
        low = np.zeros(self.values, np.int64)
        high = np.full(self.values, 2 ** (self.input_bits - 1) - 1)
        while (low < high).any():
            middle = (low + high) // 2
            codes = abs(self.golden(i=middle)["o"].astype(np.int64))
            reached = (codes > 0) & (codes <= goal)
            low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
        sums = (high - rng.integers(0, 2, self.values)).clip(0)
        return {"i": sums * rng.choice((-1, 1), self.values)}
