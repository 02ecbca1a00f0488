"""The `int8_linear` core: its keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log2
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...configuration import DIM_WHY, LANES_WHY, MAX_DIM, MAX_LANES, choice, integer
from ...contract import Core
from ...errors import InputError
from ...item import SInt, UInt
from ...port import Port
from ...work import Work
from . import bench, cases, presets
from .quantise import SCALE_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component
    from ...drawing import Drawing

LANES = 8  # by default
SIGMA = 32  # standard deviation of typical operands: 127 is four of them


@dataclass(frozen=True, kw_only=True)
class Int8Linear(Core):
    """A linear layer of 8-bit integers, without spikes: the baseline for comparison.

    ``y = round((x w^T + bias) scale / 2^shift)``, halves upwards, limited to 8 bits: x (N, I), w
    (O, I) as in PyTorch, bias and scale (O). `scale` and `shift` stand for the scales of x, w and
    y.
    """

    NAME = "int8_linear"
    SUMMARY = "baseline without spikes: a linear layer of 8-bit integers, with multipliers"
    SOURCE = "linear layers in integers, as in quantised networks; no paper of its own"
    UNROLL = ("lanes",)
    UNROLL_FOLLOWS = ("logic_lanes",)
    SIZE_KEYS = ("tokens",)
    SMALLER = "lower input_dim or output_dim, or weight_banks to 1"
    RUN = "layer"
    CASES, MUTANTS = cases.CASES, cases.MUTANTS
    PRESETS = presets.PRESETS
    BENCH = bench.ROWS

    tokens: int = integer("tokens N", low=1, high=2**16)
    input_dim: int = integer("inputs I of a token", low=1, high=MAX_DIM, why=DIM_WHY)
    output_dim: int = integer(
        "outputs O of a token (default: input_dim)", low=1, high=MAX_DIM, default=None, why=DIM_WHY
    )
    shift: int = integer(
        "a sum is multiplied by scale / 2^shift (default: for x, w and y whose 127 is four times "
        "their standard deviation)",
        low=0,
        high=31,
        default=None,
    )
    scale_bits: int = integer("bits of a scale", low=4, high=16, default=SCALE_BITS)
    activation: str = choice(
        "what follows the sum: nothing, or max(0, y)", choices=("none", "relu"), default="none"
    )
    lanes: int = integer(
        f"multipliers, for as many inputs at a time (default: up to {LANES})",
        low=1,
        high=MAX_LANES,
        default=None,
        why=LANES_WHY,
    )
    logic_lanes: int = integer(
        "of these, multipliers that are made of LUTs and not of DSP blocks",
        low=0,
        high=MAX_LANES,
        default=0,
    )
    weight_banks: int = integer(
        "2: the weights of the next run are loaded while this one computes",
        low=1,
        high=2,
        default=2,
    )

    def __post_init__(self):
        super().__post_init__()
        self.derive(output_dim=self.input_dim)
        self.derive(lanes=min(LANES, self.input_dim), shift=self._typical_shift())
        if self.lanes > self.input_dim:
            raise self.error("lanes", self.lanes, f"at most {self.input_dim}, input_dim")
        if self.logic_lanes > self.lanes:
            raise self.error("logic_lanes", self.logic_lanes, f"at most {self.lanes}, lanes")

    def _typical_shift(self):
        """`shift` for operands of standard deviation `SIGMA`, with a factor of 2 to 4 left above
        their scale."""
        return self.scale_bits - 1 + floor(log2(SIGMA * self.input_dim**0.5))

    # Widths

    @property
    def sum_bits(self) -> int:
        """Bits of a product of x and w, signed: at most ``I * 128 * 128``; and of a bias."""
        return (self.input_dim << 14).bit_length() + 1

    # Schedule

    @property
    def chunks(self) -> int:
        """Beats of a token of x, and of an output's weights."""
        return -(-self.input_dim // self.lanes)

    # Streams

    def _port(self, axes: str, shape: tuple[int, int]) -> Port:
        """`lanes` values of a row in a beat."""
        return Port(axes=axes, shape=shape, item=SInt(8), beat=(1, self.lanes), closes=axes[0])

    @property
    def inputs(self) -> dict[str, Port]:
        constant = {"axes": "C", "shape": (self.output_dim,), "beat": (1,), "closes": "C"}
        return {
            "x": self._port("ND", (self.tokens, self.input_dim)),
            "w": self._port("CD", (self.output_dim, self.input_dim)),
            "bias": Port(item=SInt(self.sum_bits), **constant),
            "scale": Port(item=UInt(self.scale_bits), **constant),
        }

    @property
    def outputs(self) -> dict[str, Port]:
        return {"y": self._port("ND", (self.tokens, self.output_dim))}

    # Interface of every core

    def create(self) -> Component:
        from .component import Int8LinearComponent

        return Int8LinearComponent(self)

    def golden(self, *, x: NDArray, w: NDArray, bias: NDArray, scale: NDArray) -> dict[str, Any]:
        from .golden import run

        return {"y": run(self, x, w, bias, scale)}

    def cycles(self, **operands: NDArray) -> int:
        from .schedule import cycles

        return cycles(self)

    def cycle_formula(self) -> str:
        from .schedule import cycle_formula

        return cycle_formula(self)

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        from .work import work

        self.densities_or_typical(densities)  # zeros save nothing
        return work(self)

    def stages(self) -> Drawing:
        from . import drawing

        return drawing.layer(self)

    @classmethod
    def prepare(
        cls, settings: Mapping[str, Any], **tensors: NDArray
    ) -> tuple[Self, list[dict[str, NDArray]]]:
        """The sizes follow from x (N, I) and w (O, I), or runs of that."""
        found = {}
        if tensors.get("x") is not None and np.ndim(tensors["x"]) >= 2:
            found["tokens"], found["input_dim"] = np.shape(tensors["x"])[-2:]
        if tensors.get("w") is not None and np.ndim(tensors["w"]) >= 2:
            found["output_dim"], inputs = np.shape(tensors["w"])[-2:]
            if found.get("input_dim", inputs) != inputs:
                raise InputError(
                    f"w: has {inputs} inputs, and x {found['input_dim']}; w is (outputs, inputs)"
                )
        core = cls.from_settings(found | dict(settings))
        return core, core.split_runs(tensors)

    def random_operands(self, rng: np.random.Generator, density: float = 0.5) -> dict[str, NDArray]:
        """Biases as large as typical sums, unless they are extremes."""
        operands = super().random_operands(rng, density)
        if density < 1:
            operands["bias"] >>= 1 + self.input_dim.bit_length() // 2
        return operands

    def edge_operands(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Of each output, the sum of one token is as near as its scale permits to where `y`
        changes."""
        operands = super().random_operands(rng)
        tokens = rng.integers(0, self.tokens, self.output_dim)
        x, w = operands["x"][tokens].astype(np.int64), operands["w"]
        products = (x * w).sum(1)
        # Scales of any magnitude, and an output that such a sum reaches.
        scale = np.exp2(rng.uniform(0, self.scale_bits, self.output_dim)).astype(np.int64)
        most = (1 << self.sum_bits - 1) - 1
        reached = np.minimum(((most * scale) >> self.shift) + 1, 129)
        y = rng.integers(-reached, reached + 1)
        edge = ((2 * y - 1) << self.shift) >> 1
        sums = edge // scale + rng.integers(0, 2, self.output_dim)
        bias = (sums - products).clip(-most, most)
        return operands | {"bias": bias.astype(np.int32), "scale": scale.astype(np.int32)}

    def preload_cycles(self) -> int:
        return max(self.output_dim * self.chunks, 2 * self.chunks) + 8
