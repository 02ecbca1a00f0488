"""The `relu_quantiser` unit: keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...configuration import integer, integers
from ...contract import Flag
from ...item import SInt, UInt
from ...port import Port
from ...stream_unit import StreamUnit
from ...work import Operations, Work
from ..channels import check_channels, per_channel
from ..counter_bits import counter_bits_key
from .golden import relu_quantise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...blocks.component import Component


@dataclass(frozen=True, kw_only=True)
class ReLUQuantiser(StreamUnit):
    """Unsigned values of `bits` bits from signed ones of `input_bits`::

        min(round(max(x, 0) / 2**shift), 2**bits - 1)

    Halves are rounded up. Values that exceed the range are clipped and counted. A list of shifts
    belongs to channels: value n has that of channel ``n mod channels``.

    Source: the ReLU neuron of A2OS2A, arXiv 2503.00226.
    """

    NAME = "relu_quantiser"
    SUMMARY = "ReLU: unsigned values of few bits from signed ones, those cut off counted"
    SOURCE = "Guo et al., arXiv 2503.00226"
    UNROLL = ("lanes",)
    PASSES_LAST = True
    CASES = {
        "one value": {"values": 1, "input_bits": 4, "bits": 2, "shift": 0},
        "all lanes": {"values": 12, "lanes": 12, "input_bits": 9, "bits": 4, "shift": 2},
        "nothing left": {"values": 6, "lanes": 2, "input_bits": 5, "bits": 3, "shift": 5},
        "wider than the input": {"values": 10, "lanes": 5, "input_bits": 6, "bits": 8, "shift": 0},
        "shifts of channels": {
            **{"values": 24, "lanes": 2, "input_bits": 8, "bits": 3, "shift": (0, 1, 3, 3, 5, 8)}
        },
        "shifts of lanes": {"values": 8, "lanes": 2, "input_bits": 8, "bits": 4, "shift": (2, 3)},
        "one bit": {
            **{"values": 9, "lanes": 3, "input_bits": 12, "bits": 1, "shift": 6},
            **{"counter_bits": 4},
        },
    }
    MUTANTS = {"shifts of channels": CASES["shifts of channels"] | {"counter_bits": 6}}

    values: int = integer("values of a run", low=1, high=2**48)
    lanes: int = integer("values per cycle", low=1, high=256, default=1)
    input_bits: int = integer("bits of a signed input", low=2, high=48)
    bits: int = integer("bits of an output", low=1, high=32)
    shift: int | tuple[int, ...] = integers(
        "binary places dropped by rounding; a list: one for each channel", low=0, high=47
    )
    counter_bits: int = counter_bits_key()

    def __post_init__(self):
        super().__post_init__()
        if self.values % self.lanes:
            raise self.error("lanes", self.lanes, f"a divisor of values ({self.values})")
        check_channels(self, "shift", self.values)

    def _port(self, item):
        return Port(axes="N", shape=(self.values,), item=item, beat=(self.lanes,), closes="N")

    @property
    def inputs(self) -> dict[str, Port]:
        return {"i": self._port(SInt(self.input_bits))}

    @property
    def outputs(self) -> dict[str, Port]:
        return {"o": self._port(UInt(self.bits))}

    @property
    def flags(self) -> dict[str, Flag]:
        meaning = "values cut off at the top since reset"
        return super().flags | {"saturated": Flag(meaning, self.counter_bits)}

    def component(self) -> Component:
        from .component import ReLUQuantiserComponent

        return ReLUQuantiserComponent(
            self.lanes,
            input_bits=self.input_bits,
            bits=self.bits,
            counter_bits=self.counter_bits,
            shifts=per_channel(self.shift),
        )

    def golden(self, *, i: NDArray) -> dict[str, Any]:
        output, cut = relu_quantise(i, bits=self.bits, shift=self.shift)
        return {"o": output, "saturated": cut}

    def cycles(self, **operands: NDArray) -> int:
        from .component import ReLUQuantiserComponent

        return self.values // self.lanes + ReLUQuantiserComponent.delay

    def cycle_formula(self) -> str:
        from .component import ReLUQuantiserComponent

        return f"{ReLUQuantiserComponent.delay} + values / lanes"

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        return Work(
            "a rounding and a comparison of each value",
            (Operations("round and limit", "add", self.input_bits, 2 * self.values),),
        )
