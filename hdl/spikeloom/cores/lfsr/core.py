"""The `lfsr` unit: keys, stream, golden model and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...configuration import integer
from ...item import Bit
from ...port import Port
from ...random.golden_lfsr import lfsr_sequence
from ...random.random_plan import START_CYCLES, scramble
from ...random.taps import TAPS
from ...stream_unit import StreamUnit
from ...work import Operations, Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component


@dataclass(frozen=True, kw_only=True)
class LFSRUnit(StreamUnit):
    """Windows of `width` bits of the sequence ``s[n + width] = XOR of s[n + t] for t in taps``,
    each `leap` bits after the previous one; the oldest bit of a window is the lowest.

    The first window is the seed: the low `width` bits of ``random_plan.scramble(seed)``, bit 0 set
    to 1. Scrambling makes runs with neighbouring seeds different; bit 0 prevents the zero state.
    The sequence repeats after ``2**width - 1`` bits.
    """

    NAME = "lfsr"
    VIEWS = ("bits", "numbers")
    SUMMARY = "linear-feedback shift register: random bits of maximal period, seeded at start"
    SOURCE = "taps: primitive polynomials over GF(2), widths 3..64"
    SIZE_KEYS = ("steps",)
    CASES = {
        "one window": {"width": 8, "steps": 1},
        "narrowest": {"width": 3, "steps": 20},
        "narrowest, all new": {"width": 3, "steps": 17, "leap": 3},
        "widest": {"width": 64, "steps": 40},
        "widest, 59 bits a step": {"width": 64, "steps": 50, "leap": 59},
        "widest, all new": {"width": 64, "steps": 33, "leap": 64},
        "beyond one XOR per bit": {"width": 13, "steps": 60, "leap": 12},
        "four taps": {"width": 8, "steps": 260, "leap": 5},
        "32 bits, 23 a step": {"width": 32, "steps": 64, "leap": 23},
        "highest tap": {"width": 55, "steps": 30, "leap": 31},
        "odd width": {"width": 33, "steps": 21, "leap": 7},
    }
    MUTANTS = {"four taps": CASES["four taps"], "odd width": CASES["odd width"]}

    width: int = integer("bits of the register and of a window", low=3, high=64)
    steps: int = integer("windows of a run", low=1, high=2**20)
    leap: int = integer("bits a window is further on than the last", low=1, high=64, default=1)
    seed: int = integer("seed of the register", low=1, high=2**64 - 1, default=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.leap > self.width:
            raise self.error("leap", self.leap, f"at most width ({self.width})")

    @property
    def inputs(self) -> dict[str, Port]:
        return {}

    @property
    def outputs(self) -> dict[str, Port]:
        shape, beat = (self.steps, self.width), (1, self.width)
        return {"o": Port(axes="TD", shape=shape, item=Bit(), beat=beat, closes="T")}

    def component(self) -> Component:
        from .component import LFSRStream

        return LFSRStream(self.width, self.leap)

    def golden(self) -> dict[str, NDArray]:
        state = scramble(self.seed) & 2**self.width - 1 | 1
        length = (self.steps - 1) * self.leap + self.width
        (bits,) = lfsr_sequence(self.width, [state], length)
        windows = np.lib.stride_tricks.sliding_window_view(bits, self.width)
        return {"o": windows[:: self.leap].copy()}

    def cycles(self) -> int:
        return START_CYCLES + self.steps

    def cycle_formula(self) -> str:
        return f"{START_CYCLES} + steps"

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        feedback = self.steps * self.leap * len(TAPS[self.width])
        shifted = self.steps * self.width
        return Work(
            "an XOR for each tap and a shift of each bit",
            (
                Operations("feedback", "logic", 1, feedback),
                Operations("shift register", "logic", 1, shifted),
            ),
        )

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        weights = np.uint64(1) << np.arange(self.width, dtype=np.uint64)
        return {
            "bits": lambda windows: windows,
            "numbers": lambda windows: (windows * weights).sum(axis=-1, dtype=np.uint64),
        }
