"""The `bernoulli_encoder` unit: keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...configuration import LANES_WHY, MAX_LANES, integer
from ...item import Bit, Item
from ...port import Port
from ...random.random_plan import START_CYCLES
from ...work import Work
from ..rate_coded import RateCoded, encoder_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component


@dataclass(frozen=True, kw_only=True)
class BernoulliEncoderUnit(RateCoded):
    """One spike for each of `values` values in [0, 1]; the value is the probability of the spike.

    The spike is ``random < threshold`` with the threshold nearest to the value in steps of
    ``2**-value_bits``. A value of 0 never fires, one of 1 always does.
    """

    NAME = "bernoulli_encoder"
    SUMMARY = "Bernoulli encoder: one random spike for each value in [0, 1]"
    UNROLL = ("lanes",)
    SIZE_KEYS = ("values",)
    CASES = {
        "one value": {"values": 1},
        "one value, one bit": {"values": 1, "value_bits": 1},
        "one lane": {"values": 40},
        "all lanes": {"values": 12, "lanes": 12},
        "partial beat": {"values": 23, "lanes": 5},
        "one bit": {"values": 33, "lanes": 4, "value_bits": 1},
        "16 bits": {"values": 31, "lanes": 3, "value_bits": 16},
        "registers of their own": {"values": 30, "lanes": 4, "random": "own"},
        "one register": {"values": 30, "lanes": 7, "random": "permuted", "value_bits": 5},
        "wide": {"values": 150, "lanes": 64, "value_bits": 7},
        "last beat of one": {"values": 65, "lanes": 8, "value_bits": 3, "random": "permuted"},
    }
    MUTANTS = {
        # As many beats as it takes for every bit of the register to matter.
        "partial beat": {"values": 203, "lanes": 5},
        "registers of their own": CASES["registers of their own"],
    }

    values: int = integer("values of a run", low=1, high=2**24)
    lanes: int = integer("values per cycle", low=1, high=MAX_LANES, default=1, why=LANES_WHY)

    def _port(self, item: Item) -> Port:
        return Port(axes="N", shape=(self.values,), item=item, beat=(self.lanes,), closes="N")

    @property
    def inputs(self) -> dict[str, Port]:
        return {"i": self._port(self.item)}

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self._port(Bit())}

    def component(self) -> Component:
        from .component import BernoulliStream

        return BernoulliStream(self.lanes, value_bits=self.value_bits, strategy=self.random)

    def golden(self, *, i: NDArray) -> dict[str, NDArray]:
        draws = self.draws(self.lanes, self.inputs["i"].beats).ravel()
        return {"o": (draws[: self.values] < self.item.encode(i)).astype(np.uint8)}

    def cycles(self, **operands: NDArray) -> int:
        from .component import BernoulliStream

        return START_CYCLES + self.inputs["i"].beats + BernoulliStream.delay

    def cycle_formula(self) -> str:
        from .component import BernoulliStream

        return f"{START_CYCLES + BernoulliStream.delay} + ceil(values / lanes)"

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        return encoder_work(self.values, 1, self.value_bits)
