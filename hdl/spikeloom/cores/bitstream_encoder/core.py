"""The `bitstream_encoder` unit: keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...configuration import LANES_WHY, MAX_DIM, MAX_HELD, MAX_LANES, integer
from ...item import Bit
from ...port import Port
from ...random.random_plan import START_CYCLES
from ...work import Work
from ..rate_coded import RateCoded, encoder_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component

HELD_WHY = "the core holds all values on chip"
READ = 1  # cycles from the last value to the first read of the memory of values


@dataclass(frozen=True, kw_only=True)
class BitstreamEncoderUnit(RateCoded):
    """Rate coding of a matrix (tokens x head_dim) of values in [0, 1] over `steps` time steps.

    The value is the probability of each of its spikes.

    A beat holds the spikes of `lanes` dimensions of each of `rows` tokens.
    """

    NAME = "bitstream_encoder"
    SUMMARY = "rate coding: values in [0, 1] once in, random spikes of T time steps out"
    VIEWS = ("spikes", "rate")
    UNROLL = ("rows", "lanes")
    SIZE_KEYS = ("steps", "tokens")
    CASES = {
        "one value, one step": {"tokens": 1, "head_dim": 1, "steps": 1},
        "one value": {"tokens": 1, "head_dim": 1, "steps": 30, "value_bits": 1},
        "one lane": {"tokens": 3, "head_dim": 5, "steps": 4},
        "a token per cycle": {"tokens": 5, "head_dim": 4, "lanes": 4, "steps": 6},
        "a matrix per cycle": {"tokens": 3, "head_dim": 5, "rows": 3, "lanes": 5, "steps": 9},
        "blocks": {"tokens": 6, "head_dim": 9, "rows": 2, "lanes": 3, "steps": 5},
        "a column per cycle": {"tokens": 7, "head_dim": 3, "rows": 7, "steps": 5},
        "16 bits": {"tokens": 2, "head_dim": 6, "lanes": 2, "steps": 7, "value_bits": 16},
        "one bit": {"tokens": 4, "head_dim": 2, "lanes": 2, "steps": 11, "value_bits": 1},
        "registers of their own": {
            **{"tokens": 4, "head_dim": 4, "rows": 2, "lanes": 2, "steps": 5, "random": "own"},
        },
        "one register": {
            **{"tokens": 3, "head_dim": 8, "lanes": 8, "steps": 6, "random": "permuted"},
        },
    }
    MUTANTS = {"blocks": CASES["blocks"], "one register": CASES["one register"]}

    tokens: int = integer("tokens N", low=1, high=MAX_HELD, why=HELD_WHY)
    head_dim: int = integer("dimensions D of a token", low=1, high=MAX_DIM, why=HELD_WHY)
    steps: int = integer("time steps T", low=1, high=2**24, default=10)
    rows: int = integer("tokens encoded per cycle", low=1, high=MAX_LANES, default=1, why=LANES_WHY)
    lanes: int = integer(
        "values of a token encoded per cycle", low=1, high=MAX_LANES, default=1, why=LANES_WHY
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tokens % self.rows:
            raise self.error("rows", self.rows, f"a divisor of tokens ({self.tokens})")
        if self.head_dim % self.lanes:
            raise self.error("lanes", self.lanes, f"a divisor of head_dim ({self.head_dim})")

    @property
    def inputs(self) -> dict[str, Port]:
        shape = (self.tokens, self.head_dim)
        return {"i": Port(axes="ND", shape=shape, item=self.item, beat=(1, 1), closes="N")}

    @property
    def outputs(self) -> dict[str, Port]:
        shape, beat = (self.steps, self.tokens, self.head_dim), (1, self.rows, self.lanes)
        return {"o": Port(axes="TND", shape=shape, item=Bit(), beat=beat, closes="N")}

    def component(self) -> Component:
        from ..ssa.value_operand import ValueOperand

        return ValueOperand(
            self.tokens,
            self.head_dim,
            steps=self.steps,
            value_bits=self.value_bits,
            rows=self.rows,
            lanes=self.lanes,
            strategy=self.random,
            stream_number=0,
        )

    def golden(self, *, i: NDArray) -> dict[str, NDArray]:
        port = self.outputs["o"]
        draws = self.draws(self.rows * self.lanes, port.beats)
        draws = draws.reshape(*port.grid, self.rows, self.lanes).transpose(0, 1, 3, 2, 4)
        return {"o": (draws.reshape(port.shape) < self.item.encode(i)).astype(np.uint8)}

    def cycles(self, **operands: NDArray) -> int:
        return START_CYCLES + self.inputs["i"].beats + READ + self.outputs["o"].beats

    def cycle_formula(self) -> str:
        values = "tokens * head_dim"
        return f"{START_CYCLES + READ} + {values} + steps * {values} / (rows * lanes)"

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        values = self.tokens * self.head_dim
        return encoder_work(values, self.steps, self.value_bits)

    def views(self) -> dict[str, Callable[[NDArray], NDArray]]:
        return super().views() | {"rate": lambda spikes: spikes.mean(axis=-3)}
